/** The only file to change: where your Mashang is, and what its configuration calls this mini-program. */
module.exports = {
  /** `server.public_url`; also add it to the mini-program's request domains (request 合法域名). */
  baseUrl: 'https://login.example.com',
  /** The `<id>` of its `[channel.<id>]` section with `kind = "wechat-mini"`. */
  channel: 'mini',
  /** Offer a button that hands over the WeChat phone number. Needs the paid interface and a privacy statement, see the README; approving works without it. */
  askPhoneNumber: false,
};
