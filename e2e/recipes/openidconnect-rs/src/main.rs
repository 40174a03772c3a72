//! An app that signs users in with the crate openidconnect, and axum.

mod oidc;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use oidc::{Begun, Failure, Party, User};
use openidconnect::CsrfToken;
use serde::Deserialize;

/// The app stores each session in memory, by the value of its cookie.
struct App {
    party: Party,
    sessions: Mutex<HashMap<String, Session>>,
}

enum Session {
    Begun(Begun),
    SignedIn(User),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let app = Arc::new(App { party: Party::discover().await?, sessions: Mutex::default() });
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/renew", get(renew))
        .route("/logout", get(logout))
        .with_state(app);
    let address = oidc::origin().replace("http://localhost", "127.0.0.1");
    Ok(axum::serve(tokio::net::TcpListener::bind(address).await?, routes).await?)
}

impl App {
    fn begin(&self, jar: CookieJar, session: Session) -> CookieJar {
        let id = CsrfToken::new_random().secret().clone();
        self.sessions.lock().unwrap().insert(id.clone(), session);
        jar.add(Cookie::build(("session", id)).path("/").http_only(true).same_site(SameSite::Lax))
    }

    /// Removes the session of a request, and returns it.
    fn end(&self, jar: &CookieJar) -> Option<Session> {
        self.sessions.lock().unwrap().remove(jar.get("session")?.value())
    }

    fn keep(&self, jar: CookieJar, user: Result<User, Failure>) -> Response {
        match user {
            Ok(user) => (self.begin(jar, Session::SignedIn(user)), Redirect::to("/")).into_response(),
            Err(failure) => refused(&failure.to_string()),
        }
    }
}

fn refused(why: &str) -> Response {
    (StatusCode::UNAUTHORIZED, format!("{why}: /login")).into_response()
}

async fn home(State(app): State<Arc<App>>, jar: CookieJar) -> String {
    let sessions = app.sessions.lock().unwrap();
    match jar.get("session").and_then(|cookie| sessions.get(cookie.value())) {
        Some(Session::SignedIn(user)) => format!("Hello, {}: /renew /logout", user.name),
        _ => "Nobody is signed in: /login".into(),
    }
}

async fn login(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    let (url, begun) = app.party.begin();
    (app.begin(jar, Session::Begun(begun)), Redirect::to(url.as_str())).into_response()
}

#[derive(Deserialize)]
struct Answer {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

async fn callback(State(app): State<Arc<App>>, jar: CookieJar, Query(answer): Query<Answer>) -> Response {
    let Some(Session::Begun(begun)) = app.end(&jar) else { return refused("no sign-in has begun") };
    if begun.state.secret() != &answer.state {
        return refused("the state is another one");
    }
    let Some(code) = answer.code else { return refused(&answer.error.unwrap_or_default()) };
    let user = app.party.finish(begun, code).await;
    app.keep(jar, user)
}

async fn renew(State(app): State<Arc<App>>, jar: CookieJar) -> Response {
    let Some(Session::SignedIn(user)) = app.end(&jar) else { return refused("Nobody is signed in") };
    let user = app.party.renew(user).await;
    app.keep(jar, user)
}

async fn logout(State(app): State<Arc<App>>, jar: CookieJar) -> Result<Redirect, Response> {
    let Some(Session::SignedIn(user)) = app.end(&jar) else { return Ok(Redirect::to("/")) };
    match app.party.leave(&user) {
        Ok(url) => Ok(Redirect::to(url.as_str())),
        Err(failure) => Err(refused(&failure.to_string())),
    }
}
