/**
 * The yardstick for whole logins: npm `oidc-provider` with its own in-memory adapter and one client, as its manual sets it
 * up. Who signs in is not asked for a proof: the login step takes any name. Prints its address as one line.
 */
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const REDIRECT_URI = 'https://site.example/callback';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const address = `127.0.0.1:${server.address().port}`;

const provider = new Provider(`http://${address}`, {
  clients: [{
    client_id: 'bench', client_secret: 'bench-secret', redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  cookies: { keys: ['bench'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
  claims: { openid: ['sub'], profile: ['name'] },
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  // What the person agreed to is not asked either: Mashang's client in this measurement is a trusted one too.
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});

const callback = provider.callback();
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  if (request.method === 'GET') {
    await provider.interactionDetails(request, response);
    response.setHeader('content-type', 'text/html');
    const page = '<!doctype html><form method="post"><input name="login"><button>Sign in</button></form>';
    response.setHeader('content-length', page.length);
    return response.end(page);
  }
  let body = '';
  for await (const part of request) body += part;
  const accountId = new URLSearchParams(body).get('login');
  return provider.interactionFinished(request, response, { login: { accountId } }, { mergeWithLastSubmission: false });
});
// Whoever started it reads one line; what the library says later meets a closed pipe.
process.stdout.on('error', () => {});
process.stdout.write(`${address}\n`);
