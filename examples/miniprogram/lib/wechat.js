/** The three things this mini-program wants from WeChat, as promises. The only file in `lib/` that knows `wx`. */

/** A fresh code that proves who holds the phone: five minutes, once. */
function loginCode() {
  return new Promise((resolve, reject) => {
    wx.login({ success: ({ code }) => (code ? resolve(code) : reject(new Error('no code'))), fail: reject });
  });
}

/** Posts JSON to `baseUrl`; rejects only when there is no answer at all. */
function poster(baseUrl, language) {
  return (path, body) => new Promise((resolve, reject) => {
    wx.request({
      url: baseUrl.replace(/\/$/, '') + path,
      method: 'POST',
      data: body,
      header: { 'content-type': 'application/json', 'accept-language': language },
      timeout: 15000,
      success: ({ statusCode, data }) => resolve({ status: statusCode, body: data }),
      fail: reject,
    });
  });
}

/** The language of the person's WeChat, such as `zh_CN`. */
function language() {
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : wx.getSystemInfoSync();
  return info.language || 'zh_CN';
}

module.exports = { loginCode, poster, language };
