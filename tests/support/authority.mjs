/** A certificate authority of one's own, by OpenSSL's command line. */

import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...words) => promisify(execFile)('openssl', words);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes one whose files are in `folder`, which others must be able to enter. */
export async function startAuthority(folder, name = 'authority') {
  const file = (what) => join(folder, `${name}-${what}`);
  const [ca, caKey] = [file('ca.pem'), file('ca.key')];
  await chmod(folder, 0o755);
  await openssl('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', `/CN=${name} of a test`, '-keyout', caKey, '-out', ca, '-addext', 'keyUsage=critical,keyCertSign');
  let count = 0;
  return {
    ca,
    /** A certificate for a server of these names alone; each has files of its own, which its server may take over. */
    async issue(...names) {
      count += 1;
      const [key, request, cert, more] = ['key', 'csr', 'pem', 'ext'].map((kind) => file(`${count}.${kind}`));
      await openssl('req', ...NEW_KEY, '-subj', `/CN=${names[0]}`, '-keyout', key, '-out', request);
      await writeFile(more, `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')}\n`);
      await openssl('x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', more, '-out', cert);
      await chmod(key, 0o600);
      return { ca, cert, key };
    },
  };
}
