// The sandbox's demo mini-program: a login page that speaks the phone API of the login server.
// Written as a mini-program page is; only `view` stands for the WXML.
(function () {
  "use strict";
  var english = wx.getAppBaseInfo().language === "en";
  var TEXTS = {
    loading: ["正在打开…", "Opening…"],
    sign_in: ["申请登录", "asks you to log in"],
    link: ["申请把您的微信绑定到下面的账号。绑定后，您用微信登录的都是这个账号；昵称由对方填写，不能证明身份。",
      "asks to link your WeChat to the account below. Once linked, your WeChat logs in to it. Its nickname proves nothing."],
    account: ["账号昵称", "Nickname of the account"],
    site: ["网站", "Site"],
    device: ["设备", "Device"],
    address: ["地址", "Address"],
    at: ["时间", "Time"],
    number: ["输入电脑上显示的数字", "Type the number shown on the computer"],
    approve_sign_in: ["确认登录", "Approve"],
    approve_link: ["确认绑定", "Link"],
    deny: ["拒绝", "Deny"],
    phone: ["同时提供手机号", "Share my phone number too"],
    phoneDone: ["已提供手机号", "Phone number shared"],
    approved_sign_in: ["登录成功，可以回到电脑上了。", "Logged in. You can go back to the computer."],
    approved_link: ["绑定成功，可以回到电脑上了。", "Linked. You can go back to the computer."],
    denied: ["已拒绝，没有登录。", "Denied. Nobody was logged in."],
    unknown: ["这个小程序不认识这种请求，不能确认。", "This mini-program does not know such a request, so it cannot be approved."],
    wrong: ["数字不对，这次登录已结束。请在电脑上刷新后重试。", "Wrong number. This login is over; refresh on the computer and try again."],
    noCode: ["请扫描电脑上的登录码。", "Scan the login code on the computer."],
    noServer: ["仿真环境没有配置登录服务器的地址（demo_api_base）。", "The sandbox was not told the login server's address (demo_api_base)."],
    failed: ["没有连上登录服务器。", "The login server could not be reached."],
  };
  function t(name) { return TEXTS[name][english ? 1 : 0]; }

  // The scene is the scan code itself; an ordinary link ends in it. Both come percent-encoded once.
  function scanCode(query) {
    if (query.scene) return decodeURIComponent(query.scene);
    var link = query.q ? decodeURIComponent(query.q) : "";
    var match = /\/s\/([^/?#]+)/.exec(link);
    return match ? match[1] : "";
  }

  Page({
    data: { stage: "loading", problem: "", login: null, number: "", phone: false },

    onLoad: function (query) {
      this.scan = scanCode(query);
      if (!this.scan) return this.setData({ stage: "over", problem: t("noCode") });
      if (!sandbox.apiBase) return this.setData({ stage: "over", problem: t("noServer") });
      var page = this;
      wx.login({
        success: function (result) {
          page.post("scan", { code: result.code }, function (answer) {
            // What cannot be told must not be approved.
            var purpose = answer.login.purpose;
            if (purpose !== "sign_in" && purpose !== "link") return page.setData({ stage: "over", problem: t("unknown") });
            page.token = answer.phone_token;
            page.setData({ stage: "asked", login: answer.login });
          });
        },
        fail: function () { page.setData({ stage: "over", problem: t("failed") }); },
      });
    },

    post: function (step, data, done) {
      var page = this;
      var path = [sandbox.channel, this.scan, step].map(encodeURIComponent).join("/");
      wx.request({
        url: sandbox.apiBase + "/api/phone/" + path,
        method: "POST",
        data: data,
        success: function (answer) {
          if (answer.statusCode === 200) return done(answer.data);
          var message = answer.data && answer.data.message;
          page.setData({ stage: "over", problem: message || t("failed") });
        },
        fail: function () { page.setData({ problem: t("failed") }); },
      });
    },

    approve: function () {
      var page = this;
      this.post("approve", { phone_token: this.token, number: this.data.number }, function (answer) {
        var good = answer.status === "approved";
        page.setData(good ? { stage: "approved", problem: "" } : { stage: "over", problem: t("wrong") });
      });
    },

    deny: function () {
      var page = this;
      this.post("deny", { phone_token: this.token }, function () { page.setData({ stage: "denied", problem: "" }); });
    },

    sharePhone: function (event) {
      var page = this;
      if (!event.detail.code) return;
      this.post("phone-number", { phone_token: this.token, code: event.detail.code }, function () { page.setData({ phone: true }); });
    },

    view: function (data) {
      var parts = data.problem ? [{ kind: "problem", text: data.problem }] : [];
      if (data.stage === "loading") return [{ kind: "text", text: t("loading") }];
      if (data.stage === "approved") return [{ kind: "title", text: t("approved_" + data.login.purpose) }];
      if (data.stage === "denied") return [{ kind: "title", text: t("denied") }];
      if (data.stage !== "asked") return parts;
      var login = data.login;
      parts.push({ kind: "title", text: login.site }, { kind: "text", text: t(login.purpose) });
      [["account", login.account && "“" + login.account + "”"], ["site", login.host], ["device", login.device], ["address", login.address],
        ["at", login.at && new Date(login.at).toLocaleString()]].forEach(function (row) {
        if (row[1]) parts.push({ kind: "row", label: t(row[0]), text: row[1] });
      });
      if (login.number_digits > 0) parts.push({ kind: "number", name: "number", label: t("number"), digits: login.number_digits });
      parts.push({ kind: "button", text: t("approve_" + login.purpose), tap: "approve" });
      parts.push({ kind: "button", text: t("deny"), tap: "deny", plain: true });
      if (data.phone) parts.push({ kind: "text", text: t("phoneDone") });
      else parts.push({ kind: "button", text: t("phone"), tap: "sharePhone", openType: "getPhoneNumber", plain: true });
      return parts;
    },
  });
})();
