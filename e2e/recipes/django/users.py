from urllib.parse import urlencode

from django.conf import settings
from mozilla_django_oidc.auth import OIDCAuthenticationBackend


class Users(OIDCAuthenticationBackend):
    """The library makes a user of Django for each email address. The name is added here, at each sign-in."""

    def create_user(self, claims):
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user, claims):
        user.first_name = claims["name"]
        user.save()
        return user


def leave(request):
    """The address that ends the session at the provider."""
    hint = {"id_token_hint": request.session["oidc_id_token"]}
    return f"{settings.ISSUER}/logout?" + urlencode(hint | {"post_logout_redirect_uri": request.build_absolute_uri("/")})
