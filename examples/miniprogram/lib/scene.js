/**
 * What the launch of the mini-program tells. Knows nothing of `wx`.
 *
 * A mini-program code brings `query.scene`, which is the scan code; an ordinary QR of Mashang brings `query.q`, which is
 * the whole link. WeChat percent-encodes both exactly once.
 */

/** What Mashang makes a scan code of: 32 characters. */
const SCAN_CODE = /^[A-Za-z0-9._-]{32}$/;

/**
 * Launch scenes where no camera looked at a screen: a card in a chat (1007, 1008), a picture pressed long (1012, 1048)
 * or taken from the album (1013, 1049). Somebody may have sent that picture. It is only a reason to warn.
 */
const WITHOUT_CAMERA = [1007, 1008, 1012, 1013, 1048, 1049];

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

/** Whether the code probably came as a picture, not from a screen in front of the person. */
function cameAsPicture(launchScene) {
  return WITHOUT_CAMERA.indexOf(Number(launchScene)) >= 0;
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

module.exports = { scanCodeOf, cameAsPicture };
