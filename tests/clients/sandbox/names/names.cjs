/**
 * Leads Tencent's host names to the sandbox, as a hosts file and port 443 would: `node --require names.cjs`. The library
 * under test is as npm has it. SANDBOX_TLS is host:port.
 */
'use strict';

const tls = require('node:tls');

const [host, port] = process.env.SANDBOX_TLS.split(':');
const real = tls.connect;
tls.connect = function connect(options, ...rest) {
  const named = /\.(qq\.com|qlogo\.cn|qqmail\.com)$/.test(options?.host ?? '') && Number(options.port) === 443;
  if (!named) return real.call(this, options, ...rest);
  return real.call(this, { ...options, servername: options.host, host, port: Number(port) }, ...rest);
};
