/**
 * The looks of the panel; variables `--mashang-…` of the page win. Light and dark come from the system's own colours and
 * `color-scheme`. A constructed sheet, because a policy such as `style-src 'self'` forbids every other way to bring one.
 */

const CSS = `:host{color-scheme:light dark}\
:host(:not([hidden])){display:block}\
:host([theme=light]){color-scheme:light}\
:host([theme=dark]){color-scheme:dark}\
*{box-sizing:border-box;margin:0;border:0;font:inherit;color:inherit}\
.card,dialog{width:100%;max-width:var(--mashang-width,360px);padding:0;margin:auto;border-radius:var(--mashang-radius,16px);background:var(--mashang-background,Canvas);color:var(--mashang-color,CanvasText)}\
.card{position:relative;padding:24px;font:15px/1.5 var(--mashang-font,system-ui);text-align:center;overflow-wrap:anywhere}\
.card,.body,.over{display:grid;gap:12px;justify-items:center}\
.tabs,.body{width:100%}\
dialog::backdrop{background:#0008}\
h2,b{font-weight:600;font-size:1.2em}\
.soft{opacity:.75;font-size:.9em}\
.bad:not(:empty):before{content:"⚠ "}\
.logo{display:block;height:40px;margin:auto}\
.tabs{border-bottom:1px solid #8886}\
button,a{padding:11px 16px;border:1px solid #0000;border-radius:8px;background:none}\
[aria-selected=true]{box-shadow:0 3px;border-radius:0;font-weight:600}\
.card{--accent:var(--mashang-accent,var(--brand,#0b7f75))}\
.big{background:var(--accent);color:var(--mashang-on-accent,var(--ink,#fff));text-decoration:none}\
.close{position:absolute;top:0;right:0}\
:focus-visible{outline:3px solid;outline-offset:-5px}\
.code{position:relative;width:var(--mashang-qr-size,208px);max-width:100%;aspect-ratio:1;background:#fff;border-radius:12px;overflow:hidden}\
.code svg,canvas{display:block;width:100%;height:100%}\
.over{position:absolute;inset:0;align-content:center;padding:8px;background:var(--mashang-background,Canvas);border:1px solid #8886}\
.number b{font-size:1.7em;display:block}\
.live{position:absolute;clip-path:inset(50%)}`;

/** The looks, once for each root. @param {ShadowRoot} root @param {string} [more] */
export function dress(root, more = '') {
  const css = CSS + more;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch (error) { // before Safari 16.4
    (root.querySelector('style') || root.appendChild(document.createElement('style'))).textContent = css;
  }
}

/** Black or white, whichever has more contrast on a colour (WCAG 2). @param {string} color `#rrggbb` */
export function ink(color) {
  const luminance = [0.2126, 0.7152, 0.0722].reduce((sum, share, at) => {
    const part = parseInt(color.substr(2 * at + 1, 2), 16) / 255;
    return sum + share * ((part + 0.055) / 1.055) ** 2.4; // sRGB; its straight foot is too dark to count
  }, 0);
  return luminance > 0.1792 ? '#000' : '#fff'; // (√21 − 1) / 20: both are read alike
}

/** The client's colour, with writing on it that can be read. @param {ShadowRoot} root @param {any} color */
export function paint(root, color) {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return;
  dress(root, `:host{--brand:${color};--ink:${ink(color)}}`);
}
