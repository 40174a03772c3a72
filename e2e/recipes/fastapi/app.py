import os
from typing import Annotated

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
metadata = httpx.get(f"{ISSUER}/.well-known/openid-configuration").json()
keys = jwt.PyJWKClient(metadata["jwks_uri"])  # fetches the keys again when a token has an unknown kid

app = FastAPI()
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def access_token(bearer: Bearer) -> dict:
    """The claims of a valid access token for this API (RFC 9068 section 4)."""
    token = bearer.credentials
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode_complete(token, key, algorithms=["RS256"], issuer=ISSUER, audience="urn:example:api")
    except jwt.PyJWTError as error:
        raise HTTPException(401, str(error), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if claims["header"].get("typ") != "at+jwt":
        raise HTTPException(401, "this is no access token", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return claims["payload"]


Token = Annotated[dict, Depends(access_token)]


@app.get("/orders")
def orders(token: Token):
    if "orders.read" not in token["scope"].split():
        raise HTTPException(403, "orders.read", {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="orders.read"'})
    return {"orders_of": token["sub"]}


@app.get("/open")
def open_to_all():
    return "open"
