from django.http import HttpResponse
from django.urls import include, path


def home(request):
    user = request.user
    text = f"Hello, {user.first_name}: /oidc/logout/" if user.is_authenticated else "Nobody is signed in: /oidc/authenticate/"
    return HttpResponse(text, content_type="text/plain")


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]
