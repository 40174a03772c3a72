import os
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = "a-secret-of-this-example-only"

hush = OAuth(app).register(
    "hush",
    client_id="flask-authlib",
    client_secret="flask-authlib-secret",
    server_metadata_url=os.environ.get("ISSUER", "http://localhost:8080") + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile offline_access", "code_challenge_method": "S256"},
)


def text(words, status=200):
    return words, status, {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/")
def home():
    if "token" not in session:
        return text("Nobody is signed in: /login")
    return text(f"Hello, {session['name']}: /renew /logout")


@app.get("/login")
def login():
    return hush.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    keep(hush.authorize_access_token())
    return redirect("/")


@app.get("/renew")
def renew():
    if "token" not in session:
        return text("Nobody is signed in: /login", 401)
    keep(hush.fetch_access_token(grant_type="refresh_token", refresh_token=session["token"]["refresh_token"]))
    return redirect("/")


def keep(token):
    """Flask stores the session in a signed cookie, which the user can read. The tokens are those of this user."""
    kept = ("access_token", "refresh_token", "id_token", "token_type")
    session["token"] = {key: token[key] for key in kept}
    session["name"] = hush.userinfo(token=session["token"])["name"]  # the ID token has no name


@app.get("/logout")
def logout():
    token = session.pop("token", {})
    leave = {"id_token_hint": token.get("id_token"), "post_logout_redirect_uri": url_for("home", _external=True)}
    return redirect(hush.load_server_metadata()["end_session_endpoint"] + "?" + urlencode(leave))


@app.errorhandler(OAuthError)
def refused(error):
    return text(f"{error.error}: /login", 401)
