/** As much of a mini-program's run time as one page needs: `Page`, `setData`, and a `wx` that answers as it is told. */

const FILE = require.resolve('../pages/confirm/confirm');

/** Loads the page afresh. `wx` is a phone of {@link phone}. */
function loadPage(phone) {
  let page;
  global.wx = phone.wx;
  global.Page = (options) => {
    page = Object.assign(Object.create(options), {
      data: JSON.parse(JSON.stringify(options.data)),
      setData(change) {
        Object.assign(page.data, JSON.parse(JSON.stringify(change)));
      },
    });
    page.handlers = Object.keys(options);
  };
  delete require.cache[FILE];
  require(FILE);
  return page;
}

/** A phone with a WeChat on it. `answers` maps the last part of an address to `[status, body]`, or to none: offline. */
function phone({ enter = { query: {}, scene: 1047 }, answers = {}, language = 'zh_CN', canLogIn = true } = {}) {
  const sent = [];
  let codes = 0;
  const wx = {
    getEnterOptionsSync: () => state.enter,
    getAppBaseInfo: () => ({ language }),
    login({ success, fail }) {
      codes += 1;
      if (canLogIn) success({ code: `code-${codes}` });
      else fail({ errMsg: 'login:fail' });
    },
    request({ url, method, data, header, success, fail }) {
      sent.push({ url, method, data, header });
      const answer = state.answers[url.split('/').pop()];
      if (answer) success({ statusCode: answer[0], data: answer[1] });
      else fail({ errMsg: 'request:fail' });
    },
  };
  const state = { wx, sent, enter, answers };
  return state;
}

module.exports = { loadPage, phone };
