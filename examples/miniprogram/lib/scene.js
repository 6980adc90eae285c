/**
 * What the launch of the mini-program tells. Knows nothing of `wx`.
 *
 * A mini-program code brings `query.scene`, which is the scan code; an ordinary QR of Mashang brings `query.q`, which is
 * the whole link. WeChat percent-encodes both exactly once.
 */

/** What Mashang makes a scan code of: 32 characters. */
const SCAN_CODE = /^[A-Za-z0-9._-]{32}$/;

/**
 * Launch scenes where a camera looked at a code: an ordinary QR (1011), a mini-program code (1047). And 1001, which is what
 * the developer tools tell: in WeChat that is the list of mini-programs, which brings no scan code.
 *
 * Everything else is a reason to warn, no more: a picture pressed long or taken from the album (1012, 1013, 1048, 1049), a
 * card in a chat (1007, 1008 and others), a link in a message, a web page, another mini-program, and whatever WeChat adds
 * to them. Somebody may have sent a code of theirs that way.
 */
const BY_CAMERA = [1001, 1011, 1047];

/** The scan code of a launch, or `null` when it was opened in another way. */
function scanCodeOf(query) {
  if (query && query.scene) return checked(decoded(query.scene));
  if (query && query.q) return codeOfLink(decoded(query.q));
  return null;
}

/** `https://login.example.com/s/<scan code>`, with anything behind it. Which host is for WeChat's own rule to check. */
function codeOfLink(link) {
  const path = /^https?:\/\/[^/?#]+\/s\/([^/?#]+)/.exec(link || '');
  return path ? checked(path[1]) : null;
}

/** Whether the code probably came from elsewhere than a screen in front of the person. */
function cameWithoutCamera(launchScene) {
  return BY_CAMERA.indexOf(Number(launchScene)) < 0;
}

function checked(text) {
  return SCAN_CODE.test(text || '') ? text : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (_) {
    return null;
  }
}

module.exports = { scanCodeOf, cameWithoutCamera };
