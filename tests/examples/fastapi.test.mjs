/** `examples/fastapi`. */

import { bearsAbsence, holds, runs } from './support.mjs';

const example = {
  name: 'fastapi',
  start: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python main.py',
  needs: { 'python3 with venv (apt-get install python3-venv)': runs('python3', '-c', 'import venv, ensurepip') },
};

bearsAbsence(example, holds(example));
