/**
 * The Python that has the packages of `requirements.txt`: `AUTHLIB_PYTHON`, which `cargo xtask test` makes; without it, a
 * virtual environment below `tests/output`.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export function python() {
  if (process.env.AUTHLIB_PYTHON) return process.env.AUTHLIB_PYTHON;
  const folder = here('../output/authlib');
  const own = `${folder}/bin/python`;
  const [wanted, installed] = [readFileSync(here('requirements.txt'), 'utf8'), `${folder}/installed.txt`];
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
    execFileSync('python3', ['-m', 'venv', '--clear', folder]);
    execFileSync(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', here('requirements.txt')]);
    writeFileSync(installed, wanted);
  }
  return own;
}
