/** The mini-program as a phone of the sandbox runs it. */

/** Scans on a phone of the sandbox and becomes `person` there; the mini-program opens. */
export async function openMini(phone, sandbox, text, person) {
  await phone.goto(`${sandbox}/phone?${new URLSearchParams({ open: text })}`);
  await phone.locator(`button[name="person"][value="${person}"]`).click();
}

/** Its question. */
export function question(phone) {
  return phone.locator('#mini h1.app');
}

/** What it says instead. */
export function problem(phone) {
  return phone.locator('#mini p.problem');
}

/** Taps one of its buttons. */
export function tap(phone, name) {
  return phone.locator('#mini').getByRole('button', { name, exact: true }).click();
}

/** Types the number, if it is asked, and approves. */
export async function approveInMini(phone, digits) {
  if (digits !== undefined) await phone.locator('#mini input[name="number"]').fill(digits);
  await tap(phone, '确认登录');
}
