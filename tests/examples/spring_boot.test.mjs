/** `examples/spring-boot`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { location } from '../support/jar.mjs';
import { holds, runs } from './support.mjs';

const { visitor } = holds({
  name: 'spring-boot',
  start: 'mvn -q spring-boot:run',
  login: '/oauth2/authorization/mashang',
  needs: {
    'Maven (apt-get install maven)': runs('mvn', '--version'),
    'Java development kit, 17 or newer (apt-get install default-jdk-headless)': runs('javac', '--version'),
  },
});

if (visitor) test('examples/spring-boot: behind a proxy that does TLS the cookie is Secure, and the way back is https', async () => {
  const { url, login } = visitor();
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'site.example' };
  const answer = await fetch(url + login, { redirect: 'manual', headers });
  assert.match(answer.headers.getSetCookie().join(), /JSESSIONID=[^,]*; Secure/);
  assert.equal(new URL(await location(answer)).searchParams.get('redirect_uri'), 'https://site.example/callback');
});
