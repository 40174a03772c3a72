from urllib.parse import urlencode

from django.conf import settings
from mozilla_django_oidc.auth import OIDCAuthenticationBackend


class Users(OIDCAuthenticationBackend):
    """The library creates a Django user for each email address. This class adds the name at each sign-in."""

    def create_user(self, claims):
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user, claims):
        user.first_name = claims["name"]
        user.save()
        return user


def leave(request):
    """Return the address at which the provider ends its session."""
    hint = {"id_token_hint": request.session["oidc_id_token"]}
    return f"{settings.ISSUER}/logout?" + urlencode(hint | {"post_logout_redirect_uri": request.build_absolute_uri("/")})
