"""A website with "scan to log in": FastAPI and Authlib, which checks state, PKCE, nonce, signature, issuer, audience."""

import os
import secrets
import time
from html import escape

import httpx
import uvicorn
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")
PORT = int(os.environ.get("PORT", "3000"))
OWN_URL = os.environ.get("OWN_URL", f"http://127.0.0.1:{PORT}")

SESSION_SECONDS = 12 * 3600

app = FastAPI(openapi_url=None)
app.add_middleware(
    SessionMiddleware,  # a signed cookie, which anyone can read who has it: sign-ins under way, and a session's id
    secret_key=os.environ.get("SESSION_SECRET") or os.urandom(32).hex(),
    max_age=SESSION_SECONDS,
    https_only=OWN_URL.startswith("https://"),
)
# Who is signed in, by the session's id. Here and not in the cookie, so that signing out ends copies of it too. In memory: enough
# for a sample of one process; yours are in your database.
sessions = {}
mashang = OAuth().register(
    "mashang",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_id=os.environ.get("CLIENT_ID", "my-site"),
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)


@app.exception_handler(httpx.HTTPError)
async def mashang_is_away(request: Request, error: httpx.HTTPError):
    return PlainTextResponse("The login service does not answer. Please try again later.\n", status_code=502)


def begin_session(request: Request, person: dict):
    now = time.time()
    for gone in [key for key, (_, ends) in sessions.items() if ends <= now]:
        del sessions[gone]
    sessions.pop(request.session.get("id"), None)  # of whoever signs in again: copies of the former cookie end too
    request.session.clear()
    request.session["id"] = secrets.token_urlsafe(32)
    sessions[request.session["id"]] = person, now + SESSION_SECONDS


def who(request: Request):
    person, ends = sessions.get(request.session.get("id"), (None, 0))
    return person if ends > time.time() else None


@app.get("/login")
async def login(request: Request):
    return await mashang.authorize_redirect(request, f"{OWN_URL}/callback")


@app.get("/callback")
async def callback(request: Request):
    if request.query_params.get("iss") != ISSUER:  # RFC 9207, of a refusal too; Authlib leaves this to us
        return PlainTextResponse("Not signed in: the answer is of another issuer\n", status_code=400)
    try:
        token = await mashang.authorize_access_token(request)
    except (AuthlibBaseError, JoseError) as error:
        return PlainTextResponse(f"Not signed in: {error.error}\n", status_code=400)
    sub, person = token["userinfo"]["sub"], await mashang.userinfo(token=token)
    if person.get("sub") != sub:  # OpenID Connect Core 5.3.2
        return PlainTextResponse("Not signed in: userinfo tells of another person\n", status_code=400)
    # Your own user is the one with this sub.
    begin_session(request, {"sub": sub, "name": person.get("name"), "id_token": token["id_token"]})
    return RedirectResponse("/", status_code=303)


@app.post("/logout")
async def logout(request: Request):
    id_token = (who(request) or {}).get("id_token")
    sessions.pop(request.session.get("id"), None)
    request.session.clear()
    try:
        away = await mashang.logout_redirect(request, f"{OWN_URL}/", id_token_hint=id_token)
    except httpx.HTTPError:
        away = RedirectResponse("/")  # signed out here in any case
    away.status_code = 303
    return away


@app.get("/", response_class=HTMLResponse)
async def home(request: Request):
    person = who(request)
    if person is None:
        return '<a href="/login">Sign in</a>'
    name, sub = person["name"] or "nobody in particular", person["sub"]
    # People choose their names: they are text, never HTML.
    return f"""<p>Hello {escape(name)}, you are {escape(sub)}.</p>
        <form method="post" action="/logout"><button>Sign out</button></form>"""


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, proxy_headers=True)
