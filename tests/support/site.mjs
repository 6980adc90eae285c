/**
 * A website that signs people in with openid-client, a library that is not ours. Its pages are bare: a link, or the
 * claims as JSON, or the error.
 */

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import * as oidc from 'openid-client';

const SCOPE = 'openid profile wechat_openid wechat_unionid';

/**
 * Registers a client at `server` and serves its website. `/login` passes its query on as authorization parameters.
 *
 * @param {Awaited<ReturnType<typeof import('./processes.mjs').startServer>>} server
 */
export async function startSite(server, id = 'site', options = []) {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = `http://localhost:${listener.address().port}`;
  const secret = await server.addClient(id, [
    '--name', '测试网站 Test site', '--redirect-uri', `${url}/callback`, '--post-logout-redirect-uri', `${url}/`, ...options,
  ]);
  const provider = () => oidc.discovery(new URL(server.url), id, undefined, oidc.ClientSecretBasic(secret), {
    execute: [oidc.allowInsecureRequests],
  });
  const site = new Site(url, provider);
  listener.on('request', (request, response) => {
    site.answer(request, response).catch((error) => page(response, 502, { error: error.error ?? error.code ?? String(error) }));
  });
  return {
    url,
    secret,
    /** How often somebody was signed in. */
    signIns: () => site.signIns,
    async stop() {
      listener.closeAllConnections();
      listener.close();
    },
  };
}

class Site {
  constructor(url, provider) {
    this.url = url;
    this.provider = provider;
    this.visitors = new Map();
    this.signIns = 0;
  }

  async answer(request, response) {
    const here = new URL(request.url, this.url);
    const visit = /site_visit=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? randomUUID();
    response.setHeader('set-cookie', `site_visit=${visit}; Path=/; HttpOnly; SameSite=Lax`);
    const visitor = this.visitors.get(visit) ?? { pending: new Map() };
    this.visitors.set(visit, visitor);
    switch (here.pathname) {
      case '/': return page(response, 200, visitor.claims ? { claims: visitor.claims } : {});
      case '/login': return this.leave(visitor, here.searchParams, response);
      case '/callback': return this.comeBack(visitor, here, response);
      case '/logout': return this.logOut(visitor, response);
      default: return page(response, 404, {});
    }
  }

  async leave(visitor, extra, response) {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    visitor.pending.set(state, { verifier, nonce });
    const to = oidc.buildAuthorizationUrl(await this.provider(), {
      redirect_uri: `${this.url}/callback`,
      scope: SCOPE,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...Object.fromEntries(extra),
    });
    redirect(response, to.href);
  }

  async comeBack(visitor, here, response) {
    const state = here.searchParams.get('state');
    const pending = visitor.pending.get(state);
    visitor.pending.delete(state);
    if (!pending) return page(response, 400, { error: 'nobody was sent away with this state' });
    const provider = await this.provider();
    const tokens = await oidc.authorizationCodeGrant(provider, here, {
      pkceCodeVerifier: pending.verifier, expectedState: state, expectedNonce: pending.nonce, idTokenExpected: true,
    });
    const own = tokens.claims();
    visitor.claims = { ...own, ...await oidc.fetchUserInfo(provider, tokens.access_token, own.sub) };
    visitor.idToken = tokens.id_token;
    this.signIns += 1;
    return redirect(response, '/');
  }

  async logOut(visitor, response) {
    const to = oidc.buildEndSessionUrl(await this.provider(), {
      id_token_hint: visitor.idToken, post_logout_redirect_uri: `${this.url}/`,
    });
    delete visitor.claims;
    redirect(response, to.href);
  }
}

function redirect(response, to) {
  response.writeHead(303, { location: to }).end();
}

function page(response, status, { claims, error }) {
  const text = (value) => JSON.stringify(value).replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const middle = claims ? `<pre id="claims">${text(claims)}</pre><a id="logout" href="/logout">out</a>`
    : `${error ? `<p id="error">${text(error)}</p>` : ''}<a id="login" href="/login">in</a>`;
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><title>site</title><link rel="icon" href="data:,">${middle}`);
}
