"""social-auth-core's weixin backends, unmodified, doing one thing per line of JSON."""

import json
import sys

from social_core.backends.weixin import WeixinOAuth2, WeixinOAuth2APP
from social_core.storage import BaseStorage, NonceMixin
from social_core.strategy import BaseStrategy


class Nonces(NonceMixin):
    """States that are out, each good for one return."""

    out = set()

    @classmethod
    def use(cls, server_url, timestamp, salt):
        cls.out.add((server_url, timestamp, salt))
        return True

    @classmethod
    def consume(cls, server_url, timestamp, salt):
        known = (server_url, timestamp, salt) in cls.out
        cls.out.discard((server_url, timestamp, salt))
        return known


class Storage(BaseStorage):
    """No users: the tests look at what the platform told."""

    nonce = Nonces


class Site(BaseStrategy):
    """The little that a framework would bring: settings, a session, the request."""

    def __init__(self, settings):
        super().__init__(Storage)
        self.settings, self.session, self.data = settings, {}, {}

    def get_setting(self, name):
        return self.settings[name]

    def get_request_data(self, merge=True):
        return self.data

    def request_host(self):
        return "site.example"

    def build_absolute_uri(self, path=None):
        return f"https://site.example{path or ''}"

    def session_get(self, name, default=None):
        return self.session.get(name, default)

    def session_set(self, name, value):
        self.session[name] = value

    def session_pop(self, name):
        self.session.pop(name, None)


sites = {}


def begin(ask):
    kind = {"weixin": WeixinOAuth2, "weixinapp": WeixinOAuth2APP}[ask["backend"]]
    prefix = f"SOCIAL_AUTH_{kind.name.upper()}"
    settings = {"KEY": ask["appid"], "SECRET": ask["secret"]}
    if "scope" in ask:
        settings |= {"SCOPE": ask["scope"], "IGNORE_DEFAULT_SCOPE": True}
    site = Site({f"{prefix}_{name}": value for name, value in settings.items()})
    sites[ask["backend"]] = site, kind
    return kind(site, "/complete").auth_url()


def complete(ask):
    """Everything up to where the pipeline would look for the user."""
    site, kind = sites[ask["backend"]]
    site.data = ask["query"]
    backend = kind(site, "/complete")
    backend.process_error(backend.data)
    token = backend.request_access_token(
        backend.ACCESS_TOKEN_URL,
        data=backend.auth_complete_params(backend.validate_state()),
        headers=backend.auth_headers(),
        method=backend.ACCESS_TOKEN_METHOD,
    )
    backend.process_error(token, stage="token")
    profile = backend.user_data(token["access_token"], response=token)
    return {"uid": backend.get_user_id({}, profile), "details": backend.get_user_details(profile), "profile": profile}


verbs = {"begin": begin, "complete": complete}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"result": verbs[asked["what"]](asked)}
    except Exception as error:  # the library's own words are what the test looks at
        answer = {"error": f"{type(error).__name__} {getattr(error, 'provider_code', None)}: {error}"}
    print(json.dumps(answer), flush=True)
