"""A test suite of an application, as its developers would write it."""
import pytest
from hush_testing import HushError

APP = {"client": "my-app", "redirect_uri": "http://localhost:5173/callback"}


@pytest.fixture
def dana(hush):
    hush.put_user("dana", claims={"name": "Dana Diaz"})
    hush.put_client("my-app", token_endpoint_auth_method="none", redirect_uris=[APP["redirect_uri"]], first_party=True)
    return hush.sign_in("dana")


def test_the_app_of_a_signed_in_user_renews_its_tokens(dana):
    assert dana.renew(**APP)["access_token"]


def test_a_renewal_fails_on_purpose(hush, dana):
    hush.fail("session_expired", client="my-app")
    with pytest.raises(HushError, match="session") as failed:
        dana.renew(**APP)
    assert failed.value.error == "login_required"
    assert len(hush.flows(client="my-app", outcome="failed")) == 1


def test_the_session_ends_with_its_lifetime(hush, dana):
    hush.clock(forward="240h")
    with pytest.raises(HushError, match="expected: a user is signed in"):
        dana.renew(**APP)
