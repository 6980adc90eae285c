/** co-wechat-oauth, unmodified, doing one thing per line of JSON. */
'use strict';

const { createInterface } = require('node:readline');

const OAuth = require('co-wechat-oauth');

const apps = {};
const app = ({ appid, secret }) => apps[appid] ??= new OAuth(appid, secret);
const verbs = {
  authorizeUrl: (ask) => app(ask).getAuthorizeURL('https://site.example/cb', 'state1', ask.scope),
  websiteUrl: (ask) => app(ask).getAuthorizeURLForWebsite('https://site.example/cb', 'state1'),
  user: (ask) => app(ask).getUserByCode(ask.code),
  token: async (ask) => (await app(ask).getAccessToken(ask.code)).data,
  refresh: async (ask) => (await app(ask).refreshAccessToken(ask.refresh_token)).data,
  verify: (ask) => app(ask).verifyToken(ask.openid, ask.access_token),
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const ask = JSON.parse(line);
  const answer = await Promise.resolve(ask).then(verbs[ask.what]).then(
    (result) => ({ result }),
    (error) => ({ error: `${error.name} ${error.code ?? ''}: ${error.message}` }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}).on('close', () => process.exit());
