// docs/recipes/openidconnect-rs.md has the rest of the application.

//! The app's requests to the provider.

use std::{env, error::Error};

use openidconnect::core::{
    CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreResponseType, CoreTokenResponse,
};
use openidconnect::reqwest::{Client as Http, ClientBuilder, redirect::Policy};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndSessionUrl, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, JsonWebKeySetUrl, LogoutRequest, Nonce, NonceVerifier, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, RefreshToken,
    Scope, TokenResponse, url::Url,
};

pub type Failure = Box<dyn Error + Send + Sync>;

pub struct Party {
    client: CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>,
    http: Http,
    secret: ClientSecret,
    issuer: IssuerUrl,
    jwks: JsonWebKeySetUrl,
    end_session: EndSessionUrl,
}

/// A sign-in that has begun.
pub struct Begun {
    pub state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// The user's data that the app keeps.
pub struct User {
    pub name: String,
    id_token: CoreIdToken,
    refresh_token: Option<RefreshToken>,
}

pub fn origin() -> String {
    format!("http://localhost:{}", env::var("PORT").unwrap_or("{port}".into()))
}

impl Party {
    pub async fn discover() -> Result<Self, Failure> {
        let http = ClientBuilder::new().redirect(Policy::none()).build()?;
        let issuer = IssuerUrl::new(env::var("ISSUER").unwrap_or("{issuer}".into()))?;
        let provider = ProviderMetadataWithLogout::discover_async(issuer.clone(), &http).await?;
        let jwks = provider.jwks_uri().clone();
        let end_session = provider.additional_metadata().end_session_endpoint.clone();
        let secret = ClientSecret::new("{client_secret}".into());
        let client = CoreClient::from_provider_metadata(
            provider,
            ClientId::new("{client_id}".into()),
            Some(secret.clone()),
        )
        .set_redirect_uri(RedirectUrl::new(origin() + "{redirect_path}")?);
        let end_session = end_session.ok_or("the provider has no end_session_endpoint")?;
        Ok(Party { client, http, secret, issuer, jwks, end_session })
    }

    pub fn begin(&self) -> (Url, Begun) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (url, state, nonce) = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(["profile", "offline_access"].map(|name| Scope::new(name.into())))
            .set_pkce_challenge(challenge)
            .url();
        (url, Begun { state, nonce, verifier })
    }

    pub async fn finish(&self, begun: Begun, code: String) -> Result<User, Failure> {
        let request = self.client.exchange_code(AuthorizationCode::new(code))?;
        let tokens = request.set_pkce_verifier(begun.verifier).request_async(&self.http).await?;
        self.verified(tokens, &begun.nonce, None).await
    }

    pub async fn renew(&self, user: User) -> Result<User, Failure> {
        let old = user.refresh_token.ok_or("there is no refresh token")?;
        let tokens = self.client.exchange_refresh_token(&old)?.request_async(&self.http).await?;
        let any_nonce = |_: Option<&Nonce>| Ok(()); // the nonce belongs to the sign-in
        self.verified(tokens, any_nonce, Some(old)).await
    }

    /// Verifies the ID token, which has the name. A provider may answer without a new refresh token.
    async fn verified(
        &self,
        tokens: CoreTokenResponse,
        nonce: impl NonceVerifier + Send,
        old: Option<RefreshToken>,
    ) -> Result<User, Failure> {
        let id_token = tokens.id_token().ok_or("there is no ID token")?.clone();
        let keys = CoreJsonWebKeySet::fetch_async(&self.jwks, &self.http).await?; // there may be new ones
        let (id, secret) = (self.client.client_id().clone(), self.secret.clone());
        let verifier = CoreIdTokenVerifier::new_confidential_client(id, secret, self.issuer.clone(), keys);
        let claims = id_token.claims(&verifier, nonce)?;
        let name = claims.name().and_then(|name| name.get(None)).ok_or("the ID token has no name")?.to_string();
        Ok(User { name, refresh_token: tokens.refresh_token().cloned().or(old), id_token })
    }

    /// The address at which the provider ends its session.
    pub fn leave(&self, user: &User) -> Result<Url, Failure> {
        let back = PostLogoutRedirectUrl::new(origin() + "/")?;
        let request = LogoutRequest::from(self.end_session.clone());
        Ok(request.set_id_token_hint(&user.id_token).set_post_logout_redirect_uri(back).http_get_url())
    }
}
