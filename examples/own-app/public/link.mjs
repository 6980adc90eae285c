/** What the QR holds: `https://<login server>/s/<scan code>`. */

/**
 * The scan code of a link of this login server, or `null`. An app must not act on another server's links: that is how
 * it would be led to approve somebody else's login.
 *
 * @param {string} text  what was scanned or pasted
 * @param {string} mashang  the login server's address
 */
export function scanCodeOf(text, mashang) {
  let link;
  try {
    link = new URL(text.trim());
  } catch {
    return null;
  }
  const path = /^\/s\/([A-Za-z0-9._-]{32})$/.exec(link.pathname);
  return path && link.origin === new URL(mashang).origin ? path[1] : null;
}
