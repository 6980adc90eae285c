// A website with "scan to log in": Express and openid-client, which is certified by the OpenID Foundation.
import express from 'express';
import session from 'express-session';
import * as oidc from 'openid-client';

const { ISSUER = 'http://127.0.0.1:8080', CLIENT_ID = 'my-site', CLIENT_SECRET, PORT = '3000' } = process.env;
const OWN_URL = process.env.OWN_URL ?? `http://127.0.0.1:${PORT}`;
const isHttps = OWN_URL.startsWith('https://');
const TABS = 5; // of one browser that may be signing in at the same time

// Looked up at the first sign-in, and again after a failure: the website starts while Mashang is away.
let found;
function provider() {
  found ??= oidc.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, {
    execute: ISSUER.startsWith('http://') ? [oidc.allowInsecureRequests] : [], // plain http only while developing
  });
  return found.catch((error) => {
    found = undefined;
    throw error;
  });
}

const app = express();
if (isHttps) app.set('trust proxy', 1); // the proxy that does TLS tells so by X-Forwarded-Proto
app.use(session({
  secret: process.env.SESSION_SECRET ?? oidc.randomState(), resave: false, saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax', secure: isHttps },
}));

app.get('/login', async (req, res) => {
  const mashang = await provider();
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  // By state, since there may be several tabs; the oldest of many are forgotten.
  const begun = [...Object.entries(req.session.begun ?? {}), [checks.expectedState, checks]].slice(-TABS);
  req.session.begun = Object.fromEntries(begun);
  res.redirect(oidc.buildAuthorizationUrl(mashang, {
    redirect_uri: `${OWN_URL}/callback`,
    scope: 'openid profile',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  }).href);
});

app.get('/callback', async (req, res) => {
  const { begun = {} } = req.session;
  const { state } = req.query;
  if (!Object.hasOwn(begun, state)) return res.status(400).type('text').send('No sign-in was begun in this browser. Go to /login\n');
  const checks = begun[state];
  delete begun[state]; // they are good for one answer
  const mashang = await provider();
  let tokens;
  try {
    tokens = await oidc.authorizationCodeGrant(mashang, new URL(req.originalUrl, OWN_URL), { ...checks, idTokenExpected: true });
  } catch (error) {
    console.error(error); // its message is for the log
    return res.status(400).type('text').send(`Not signed in: ${error.error ?? 'the answer is not one to this browser, or the login service is away'}\n`);
  }
  const { sub } = tokens.claims();
  const { name } = await oidc.fetchUserInfo(mashang, tokens.access_token, sub);
  await new Promise((done, fail) => req.session.regenerate((error) => (error ? fail(error) : done())));
  // Your own user is the one with this sub. The other tabs' sign-ins go on.
  Object.assign(req.session, { person: { sub, name }, idToken: tokens.id_token, begun });
  res.redirect('/');
});

app.post('/logout', (req, res) => {
  const { idToken } = req.session;
  req.session.destroy(async () => {
    const mashang = await provider().catch(() => undefined); // signed out here in any case
    res.redirect(303, mashang ? oidc.buildEndSessionUrl(mashang, {
      post_logout_redirect_uri: `${OWN_URL}/`, ...(idToken && { id_token_hint: idToken }),
    }).href : '/');
  });
});

app.get('/', (req, res) => {
  const { person } = req.session;
  res.send(person
    ? `<p>Hello ${text(person.name ?? 'nobody in particular')}, you are ${text(person.sub)}.</p>
       <form method="post" action="/logout"><button>Sign out</button></form>`
    : '<a href="/login">Sign in</a>');
});

app.use((error, req, res, next) => {
  console.error(error);
  res.status(502).type('text').send('The login service does not answer. Please try again later.\n');
});

/** People choose their names: they are text, never HTML. */
function text(value) {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

app.listen(Number(PORT), '127.0.0.1', () => console.log(`ready at ${OWN_URL}`));
