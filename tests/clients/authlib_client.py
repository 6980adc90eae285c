"""A Flask website that signs people in with Authlib, unmodified and configured by discovery alone.

Arguments: issuer, client_id, client_secret, the way the client authenticates. It prints the address to which it sends
its visitor, reads the address to which the visitor came back, and prints as JSON what it learned.
"""

import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # the provider is on this machine, without TLS

from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, jsonify, url_for

issuer, client_id, client_secret, authentication = sys.argv[1:5]

app = Flask(__name__)
app.secret_key = os.urandom(32)
app.config["SERVER_NAME"] = "app.example"
app.config["PREFERRED_URL_SCHEME"] = "https"
provider = OAuth(app).register(
    "mashang",
    client_id=client_id,
    client_secret=client_secret,
    server_metadata_url=f"{issuer}/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid profile offline_access wechat_openid",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": authentication,
    },
)


@app.get("/login")
def login():
    """Sends the visitor away."""
    return provider.authorize_redirect(url_for("callback", _external=True), prompt="consent")


@app.get("/callback")
def callback():
    """Code, tokens, verified ID token; then everything else a website may do with them."""
    token = provider.authorize_access_token()
    profile = provider.userinfo(token=token)
    metadata = provider.load_server_metadata()
    with OAuth2Session(client_id, client_secret, token_endpoint_auth_method=authentication) as session:
        fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    again = provider.userinfo(token=fresh)
    return jsonify(
        id_token=token["userinfo"],
        userinfo=profile,
        rotated=fresh["refresh_token"] != token["refresh_token"],
        after_refresh=again["sub"],
    )


visitor = app.test_client()
print(visitor.get("/login", base_url="https://app.example").location, flush=True)
answer = visitor.get(sys.stdin.readline().strip())
if answer.status_code != 200:
    sys.exit(f"the callback answered {answer.status_code}: {answer.text}")
print(json.dumps(answer.json), flush=True)
