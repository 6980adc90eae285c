/**
 * What a person sees of an attempt, drawn into a shadow root: tabs, code, number, clock, and what to do next. Everything
 * that came over the network is text or a path, never HTML.
 *
 * Slots of the host: `header`, `footer`, and over the code `scanned`, `approved`, `denied`, `expired`.
 */
import { isPassing } from './failure.js';
import { createLogin } from './login.js';
import { dress, paint } from './style.js';
import { language, wordsOf } from './words.js';

/**
 * @typedef {import('./login.js').View} View
 * @typedef {import('./words.js').Words} Words
 * @typedef {Node | string | null | false | undefined} Child
 * @typedef {{card: HTMLElement, login: import('./login.js').Login, remove: () => void}} Panel
 */

const OUTSIDE = { target: '_blank', rel: 'noopener noreferrer' };

/**
 * An element with attributes (functions listen) and children.
 * @param {string} name @param {Record<string, any>} given @param {...Child} children @returns {any}
 */
function el(name, given, ...children) {
  const node = document.createElement(name);
  for (const key of Object.keys(given)) {
    if (typeof given[key] === 'function') node.addEventListener(key, given[key]);
    else node.setAttribute(key, given[key]);
  }
  node.append(.../** @type {Node[]} */ (children.filter(Boolean)));
  return node;
}

/** Our QR drawn anew from its one path; whatever else a picture holds stays out. @param {string} text */
function drawing(text) {
  const from = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  /** @param {string} name @param {string} attribute @param {Element | null} source @param {Node} parent */
  const copy = (name, attribute, source, parent) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    node.setAttribute(attribute, (source && source.getAttribute(attribute)) || '');
    return parent.appendChild(node);
  };
  const svg = copy('svg', 'viewBox', from, document.createDocumentFragment());
  copy('path', 'd', from.querySelector('path'), svg);
  svg.setAttribute('shape-rendering', 'crispEdges');
  return svg;
}

/** A platform's picture (`data:`) on a canvas, which `img-src` of the page need not allow. @param {string} address */
function picture(address) {
  const canvas = document.createElement('canvas');
  const bytes = Uint8Array.from(atob(address.split(',')[1]), (letter) => letter.charCodeAt(0));
  createImageBitmap(new Blob([bytes])).then((image) => {
    canvas.width = image.width;
    canvas.height = image.height;
    /** @type {any} */ (canvas.getContext('2d')).drawImage(image, 0, 0);
  });
  return canvas;
}

/** Only an address that a link may have. @param {string | null} address */
const safe = (address) => address && /^(https?|weixin|wxwork):/i.test(address) && address;

/**
 * @param {ShadowRoot} root
 * @param {import('./login.js').LoginOptions} options
 * @param {import('./login.js').Listener & {close?: () => void}} listener with `close` there is a button for it
 * @returns {Panel}
 */
export function createPanel(root, options, listener) {
  const lang = language(options.lang);
  const words = wordsOf(lang);
  /** @type {Partial<View>} */
  let drawn = {};
  const live = el('p', { class: 'live', role: 'status' });
  const heading = el('h2', { id: 'title' });
  const host = el('p', { class: 'soft' });
  const tabs = el('div', { class: 'tabs', role: 'tablist', 'aria-label': words.ways, keydown: move });
  const body = el('div', { class: 'body', id: 'body' });
  const clock = el('p', { class: 'soft', role: 'timer' });
  const card = el('section', { class: 'card', part: 'panel', lang, 'aria-labelledby': 'title' },
    el('slot', { name: 'header' }), heading, host, tabs, body, live,
    el('slot', { name: 'footer' }, el('p', { class: 'soft' }, words.warning)),
    listener.close && button('×', listener.close, { class: 'close', 'aria-label': words.close }));
  const login = createLogin({ ...options, lang }, { ...listener, change: draw });
  if (!root.firstChild) dress(root);
  root.append(card);
  tabs.hidden = true;
  return {
    card,
    login,
    remove() {
      login.stop();
      card.remove();
    },
  };

  /** @param {keyof Words} word @param {string} value for what is in braces */
  function say(word, value) {
    return words[word].replace(/\{.*\}/, () => value);
  }

  /** @param {string} label @param {() => void} click @param {object} [given] */
  function button(label, click, given) {
    return el('button', { type: 'button', class: 'big', click, ...given }, label);
  }

  /** @param {View} view */
  function draw(view) {
    /** @param {...keyof View} names */
    const changed = (...names) => names.some((name) => view[name] !== drawn[name]);
    const { status, secondsLeft, site, channel } = view;
    const news = changed('status', 'failure', 'face', 'channel', 'popup');
    card.dataset.status = status;
    if (site && changed('site')) {
      heading.replaceChildren(`${words.title} `, el('bdi', {}, site.name));
      host.replaceChildren(site.logo_uri ? el('img', { class: 'logo', alt: '', src: site.logo_uri }) : '', el('bdi', {}, site.host));
      paint(root, site.brand_color);
    }
    if (changed('channels', 'channel')) drawTabs(view);
    if (news) {
      live.textContent = channel && channel.how === 'window' && status === 'waiting' ? channel.label : told(view);
      const focused = body.contains(root.activeElement);
      body.replaceChildren(...parts(view).filter(Boolean));
      if (focused) (body.querySelector('button') || card.querySelector('button') || body).focus();
    }
    const time = `${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}`;
    clock.textContent = status === 'waiting' ? say('valid', time) : status === 'scanned' ? say('within', time) : '';
    drawn = view;
    if (listener.change) listener.change(view);
  }

  /** What the state is called. @param {View} view */
  function told({ status, failure }) {
    const reason = (failure && failure.reason) || status;
    return /** @type {Record<string, string>} */ (words)[reason] || words.server;
  }

  /** @param {View} view */
  function drawTabs({ channels, channel }) {
    const focused = tabs.contains(root.activeElement);
    tabs.hidden = channels.length < 2;
    tabs.replaceChildren(...channels.map(({ id, label }) => {
      const open = Boolean(channel && channel.id === id);
      return button(label, () => login.choose(id), {
        class: '', role: 'tab', 'aria-selected': open, 'aria-controls': 'body', tabindex: open ? 0 : -1, id: `tab-${id}`,
      });
    }));
    if (focused) tabs.querySelector('[tabindex="0"]').focus();
    if (!tabs.hidden && channel) body.setAttribute('role', 'tabpanel');
  }

  /** Arrow keys among tabs. @param {KeyboardEvent} event */
  function move({ key, target }) {
    const { nextSibling, previousSibling } = /** @type {Node} */ (target);
    const to = /** @type {HTMLElement | null} */ (key === 'ArrowRight' ? nextSibling : key === 'ArrowLeft' ? previousSibling : null);
    if (to) to.click();
  }

  /** @param {View} view @returns {any[]} */
  function parts(view) {
    const { status, failure, face, channel, platform, popup } = view;
    const trouble = failure && el('p', { class: 'bad' }, told(view));
    const again = button(words.again, login.refresh);
    if (channel && channel.how === 'window' && status !== 'approved' && status !== 'loading') {
      const note = el('p', { role: 'status' }, popup && words.popup);
      const press = () => { if (!login.openWindow()) note.textContent = words.blocked; };
      return [trouble, note, button(words.window, press)];
    }
    if (!face) return [trouble || told(view), failure && isPassing(failure) && again];
    const { ticket, trouble: theirs } = face;
    if (theirs) return [theirs.heading, theirs.text, theirs.remedy, again].map((text) => text && el('p', {}, text));
    const app = platform ? platform.name : '';
    const onPhone = view.device !== 'desktop';
    const [onward, sandbox] = [safe(face.continue_href), safe(face.sandbox_phone_href)];
    const over = status !== 'waiting' && el('div', { class: 'over', part: 'overlay' },
      el('slot', { name: status }, trouble || told(view)), failure && isPassing(failure) && (failure.reason === 'network' ? again : fresh('big')));
    return [
      onPhone && onward && el('a', { class: 'big', href: onward, ...OUTSIDE }, say('onward', app)),
      onPhone && ticket.scan_url && link(ticket.scan_url),
      el('div', { class: 'code', part: 'qr' },
        el('div', { role: 'img', 'aria-label': words.qr }, ticket.qr_svg ? drawing(ticket.qr_svg) : ticket.picture && picture(ticket.picture)), over),
      clock,
      el('b', {}, say('scan', app)),
      platform && el('p', { class: 'soft' }, platform.scan_hint),
      ticket.number && el('p', { class: 'number', part: 'number' }, words.number, el('b', {}, ticket.number)),
      sandbox && el('a', { href: sandbox, 'data-sandbox': '', ...OUTSIDE }, words.sandbox),
      status === 'waiting' && fresh(''),
    ];
  }

  /** @param {string} style */
  function fresh(style) {
    return button(words.refresh, login.refresh, { class: style });
  }

  /** The QR's link, for whoever cannot scan the screen in their hand. @param {string} address */
  function link(address) {
    const field = el('input', { readonly: '', value: address, 'aria-label': words.copy });
    const copy = () => navigator.clipboard.writeText(address).then(() => { live.textContent = words.copied; }, () => field.select());
    return el('p', {}, field, button(words.copy, copy, { class: '' }));
  }
}
