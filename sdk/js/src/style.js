/**
 * The looks of the panel; variables `--mashang-…` of the page win. A constructed sheet, because a policy such as
 * `style-src 'self'` forbids every other way to bring one along.
 */

/** @param {...string} values */
const colors = (...values) => ['background', 'color', 'muted', 'border', 'error', 'accent', 'on-accent']
  .map((name, at) => `--${name}:var(--mashang-${name},${values[at]});`).join('');

const LIGHT = colors('#fff', '#14211e', '#53635d', '#dde6e2', '#b3261e', 'var(--brand,#0f766e)', 'var(--on-brand,#fff)');
const DARK = colors('#17201d', '#e6efec', '#9db0a9', '#2b3935', '#ff9c92', 'var(--brand,#52d0bb)', 'var(--on-brand,#05231e)');

const CSS = `:host{${LIGHT}display:block;color-scheme:light}
@media(prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}color-scheme:dark}}
:host([theme=dark]){${DARK}color-scheme:dark}
[hidden]{display:none}
*{box-sizing:border-box;margin:0;font:inherit;color:inherit}
.card,dialog{width:100%;max-width:var(--mashang-width,360px);border:0;border-radius:var(--mashang-radius,16px)}
.card{position:relative;padding:24px;background:var(--background);color:var(--color);font:15px/1.5 var(--mashang-font,system-ui,"PingFang SC","Microsoft YaHei",sans-serif);text-align:center;overflow-wrap:anywhere}
.card,.body,.over{display:grid;gap:12px;justify-items:center}
dialog{padding:0;margin:auto;overflow:auto}
dialog::backdrop{background:#0008}
h2,b{font-weight:600}
h2{font-size:1.2em}
.soft{color:var(--muted);font-size:.875em}
.bad{color:var(--error)}
.logo{height:40px}
.tabs{border-bottom:1px solid var(--border);width:100%}
button,a{border:0;border-radius:8px;background:none;padding:8px;min-height:40px;color:var(--accent);cursor:pointer}
[role=tab],.close{color:inherit}
[aria-selected=true]{box-shadow:0 3px var(--accent);border-radius:0}
.big{background:var(--accent);color:var(--on-accent);padding:8px 18px;text-decoration:none}
.close{position:absolute;top:4px;right:4px;width:40px}
:focus-visible{outline:3px solid var(--accent)}
.body{width:100%}
.code{position:relative;width:var(--mashang-qr-size,208px);max-width:100%;aspect-ratio:1;background:#fff;border:1px solid var(--border);border-radius:12px;overflow:hidden}
.code svg,canvas{display:block;width:100%;height:100%}
.over{position:absolute;inset:0;align-content:center;padding:12px;background:var(--background)}
.number b{font-size:1.7em;display:block;letter-spacing:.1em}
input{width:100%;padding:8px;border:1px solid var(--border);background:none}
.live{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`;

/** @param {ShadowRoot} root @param {string} css */
function adopt(root, css) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = root.adoptedStyleSheets.concat(sheet);
  } catch (error) { // before Safari 16.4
    root.appendChild(document.createElement('style')).textContent = css;
  }
}

/** @param {ShadowRoot} root */
export const dress = (root) => adopt(root, CSS);

/** The client's colour, with writing on it that can be read (relative luminance, WCAG 2). @param {ShadowRoot} root @param {string | null} color */
export function paint(root, color) {
  if (!color || !/^#[0-9a-f]{6}$/i.test(color)) return;
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(color.substr(at, 2), 16) / 255) ** 2.2);
  adopt(root, `:host{--brand:${color};--on-brand:#${0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '000' : 'fff'}}`);
}
