/**
 * What a person sees of an attempt, drawn into a shadow root: tabs, code, number, clock, and what to do next. Everything
 * that came over the network is text or a path, never HTML.
 *
 * Slots of the host: `header`, `footer`, and over the code one per status: `scanned`, `approved`, `denied`, `expired`, `error`.
 */
import { createLogin } from './login.js';
import { dress, paint } from './style.js';
import { isOpen } from './watch.js';
import { language, wordsOf } from './words.js';

/**
 * @typedef {import('./login.js').View} View
 * @typedef {import('./words.js').Words} Words
 * @typedef {Node | string | null | false | undefined} Child
 * @typedef {{card: HTMLElement, login: import('./login.js').Login, speak: (lang?: string | null) => void}} Panel `speak` changes the language
 */

/**
 * An element with a class or attributes (functions listen) and children.
 * @param {string} name @param {string | Record<string, any>} given @param {...Child} children @returns {any}
 */
export function el(name, given, ...children) {
  const node = document.createElement(name);
  /** @type {Record<string, any>} */
  const attributes = typeof given === 'string' ? { class: given } : given;
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(key, value);
    else node.setAttribute(key, value);
  }
  node.append(.../** @type {Node[]} */ (children.filter(Boolean)));
  return node;
}

/** Our QR drawn anew from its one path; whatever else a picture holds stays out. @param {string} text */
function drawing(text) {
  /** @param {string} name @param {string} attribute */
  const copy = (name, attribute) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    node.setAttribute(attribute, text.split(` ${attribute}="`)[1].split('"')[0]);
    return node;
  };
  const svg = copy('svg', 'viewBox');
  svg.append(copy('path', 'd'));
  return svg;
}

/** A platform's picture (`data:`) on a canvas, which `img-src` of the page need not allow. @param {string} address */
function picture(address) {
  const canvas = el('canvas', '');
  const bytes = Uint8Array.from(atob(address.split(',')[1]), (letter) => letter.charCodeAt(0));
  createImageBitmap(new Blob([bytes])).then((image) => {
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext('2d').drawImage(image, 0, 0);
  });
  return canvas;
}

/** A link out of the page, if the address is one that a link may have. @param {string} style @param {string | null} href @param {string} label */
const link = (style, href, label) => href && /^https?:/i.test(href)
  && el('a', { class: style, href, target: '_blank', rel: 'noreferrer' }, label);

/**
 * @param {ShadowRoot} root
 * @param {import('./login.js').LoginOptions} options
 * @param {import('./login.js').Listener & {close?: (event: Event) => void}} listener with `close` there is a button for it
 * @returns {Panel}
 */
export function createPanel(root, options, listener) {
  const own = { ...options };
  /** @type {ReturnType<typeof wordsOf>} */
  let words;
  /** @type {Partial<View>} */
  let drawn = {};
  const live = el('p', { class: 'live', role: 'status' });
  const heading = el('h2', { id: 'title' });
  const host = el('p', 'soft');
  const tabs = el('div', { class: 'tabs', hidden: '', role: 'tablist', keydown: move });
  const body = el('div', { class: 'body', id: 'body' });
  const clock = el('p', { class: 'soft', role: 'timer' });
  const warning = el('p', 'soft');
  const close = listener.close && button('×', listener.close, { class: 'close' });
  const card = el('section', { class: 'card', part: 'panel', 'aria-labelledby': 'title' },
    el('slot', { name: 'header' }), heading, host, tabs, body, live, el('slot', { name: 'footer' }, warning), close);
  const login = createLogin(own, { ...listener, change: tell });
  dress(root);
  root.append(card);
  speak(own.lang);
  return { card, login, speak };

  /** @param {string | null} [asked] */
  function speak(asked) {
    card.lang = own.lang = language(asked);
    words = wordsOf(card.lang);
    tabs.setAttribute('aria-label', words.ways);
    warning.textContent = words.warning;
    heading.setAttribute('aria-label', words.qr); // a name, until there is a better one
    if (close) close.setAttribute('aria-label', words.close);
    drawn = {};
    draw(login.view);
  }

  /** @param {View} view */
  function tell(view) {
    draw(view);
    if (listener.change) listener.change(view);
  }

  /** @param {string} label @param {(event: Event) => void} click @param {object} [given] */
  function button(label, click, given) {
    return el('button', { class: 'big', click, ...given }, label); // no form reaches into a shadow root
  }

  /** @param {View} view */
  function draw(view) {
    /** @param {...keyof View} names */
    const changed = (...names) => names.some((name) => view[name] !== drawn[name]);
    const { status, secondsLeft, site, face } = view;
    const news = changed('status', 'failure', 'face', 'channel');
    card.dataset.status = status;
    if (site && changed('site')) {
      heading.removeAttribute('aria-label');
      heading.replaceChildren(`${words.title} `, el('bdi', '', site.name));
      host.textContent = site.host;
      if (site.logo_uri) heading.prepend(el('img', { class: 'logo', alt: '', src: site.logo_uri }));
      paint(root, site.brand_color);
    }
    if (changed('channels', 'channel')) drawTabs(view);
    if (news) {
      const focused = body.contains(root.activeElement);
      body.replaceChildren(...parts(view).filter(Boolean));
      // With the number: whoever listens does not see that it changed.
      const digits = isOpen(status) && face && !face.trouble && face.ticket.number;
      live.textContent = told(view) + (digits ? ` ${words.number} ${digits}` : '');
      if (focused) (body.querySelector('button') || card.querySelector('button') || body).focus();
    }
    clock.textContent = isOpen(status) ? `${Math.floor(secondsLeft / 60)}:${`${secondsLeft % 60}`.padStart(2, '0')}` : '';
    drawn = view;
  }

  /** What the state is called. @param {View} view */
  function told({ status, failure, channel, face }) {
    if (failure) return words[failure.reason] || failure.detail || (failure.errCode < 1006 ? words.expired : words.server);
    return words[status] || (face ? face.trouble ? face.trouble.heading : channel && channel.scan_hint : '…');
  }

  /** @param {View} view */
  function drawTabs({ channels, channel }) {
    const focused = tabs.contains(root.activeElement);
    tabs.hidden = !channels[1];
    for (const [name, value] of [['role', 'tabpanel'], ['aria-labelledby', 'tab']]) {
      if (channels[1]) body.setAttribute(name, value);
      else body.removeAttribute(name);
    }
    tabs.replaceChildren(...channels.map((each) => {
      const open = each === channel;
      return button(each.label, () => login.choose(each.id), {
        class: '', role: 'tab', 'aria-controls': 'body', 'aria-selected': open, tabindex: open ? 0 : -1, ...(open && { id: 'tab' }),
      });
    }));
    if (focused) tabs.querySelector('[aria-selected=true]').focus();
  }

  /** Arrow keys among tabs. @param {KeyboardEvent} event */
  function move({ key, target }) {
    const { nextSibling, previousSibling } = /** @type {any} */ (target);
    const to = { ArrowRight: nextSibling, ArrowLeft: previousSibling }[key];
    if (to) to.click();
  }

  /** @param {View} view @returns {any[]} */
  function parts(view) {
    const { status, failure, face, channel } = view;
    const trouble = failure && el('p', 'bad', told(view));
    const again = button(words.again, login.refresh);
    if (channel && channel.how === 'window' && status !== 'approved' && status !== 'loading') {
      const press = () => { if (!login.openWindow()) live.textContent = note.textContent = words.blocked; };
      const note = trouble || el('p', 'bad');
      return [note, view.over ? again : button(words.window, press)];
    }
    if (!face) return [trouble || told(view), failure && again];
    const { ticket, trouble: theirs } = face;
    if (theirs) return [theirs.heading, theirs.text, theirs.remedy, again].map((text) => text && el('p', '', text));
    // For whoever cannot scan the screen in their hand. A frame or an old browser may have no clipboard.
    const copy = button(words.copy, async () => {
      try {
        await navigator.clipboard.writeText(/** @type {string} */ (ticket.scan_url));
        copy.textContent = live.textContent = words.copied;
      } catch (error) {
        const field = el('input', { 'aria-label': words.copy, readonly: '', value: ticket.scan_url });
        copy.replaceWith(field);
        field.select();
      }
    });
    const over = status !== 'waiting' && el('div', { class: 'over', part: 'overlay' },
      el('slot', { name: status }, trouble || told(view)), failure && again);
    return [
      link('big', face.continue_href, words.window),
      view.device !== 'desktop' && ticket.scan_url && copy,
      el('div', { class: 'code', part: 'qr' },
        el('div', { role: 'img', 'aria-label': words.qr }, ticket.qr_svg ? drawing(ticket.qr_svg) : ticket.picture && picture(ticket.picture)), over),
      clock,
      channel && el('p', '', channel.scan_hint),
      ticket.number && el('p', { class: 'number', part: 'number' }, words.number, el('b', '', ticket.number)),
      link('sandbox', face.sandbox_phone_href, 'Sandbox'),
      status === 'waiting' && button(words.refresh, login.refresh, { class: '' }),
    ];
  }
}
