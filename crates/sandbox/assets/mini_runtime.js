// A small mini-program runtime: enough of `wx`, `App` and `Page` for a login page.
// A page has no WXML here: its method `view(data)` returns a list of parts, drawn with text only.
//   { kind: "title" | "text" | "problem", text }
//   { kind: "row", label, text }
//   { kind: "number", name, label, digits }
//   { kind: "button", text, tap: "method", plain?: true, openType?: "getPhoneNumber" }
(function (global) {
  "use strict";
  var root = document.getElementById("mini");
  var settings = JSON.parse(root.dataset.settings);
  var launch = settings.launch;

  function call(path, body) {
    return global.fetch("/sandbox/mini/" + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(Object.assign({ appid: launch.appid }, body)),
    }).then(function (answer) {
      return answer.json().then(function (json) {
        if (!answer.ok) throw new Error(json.message || "fail");
        return json;
      });
    });
  }

  // As in WeChat: success or fail, then complete.
  function settle(promise, options) {
    promise.then(function (result) { if (options.success) options.success(result); },
      function (error) { if (options.fail) options.fail({ errMsg: error.message }); })
      .then(function () { if (options.complete) options.complete(); });
  }

  function entry() {
    return { path: launch.path, query: launch.query, scene: launch.scene, shareTicket: "", referrerInfo: {} };
  }

  global.wx = {
    login: function (options) {
      settle(call("login", {}).then(function (json) { return { code: json.code, errMsg: "login:ok" }; }), options || {});
    },
    request: function (options) {
      var asked = { url: options.url, method: (options.method || "GET").toUpperCase(), language: settings.language };
      if (options.data !== undefined) asked.data = options.data;
      settle(call("request", asked), options);
    },
    getLaunchOptionsSync: entry,
    getEnterOptionsSync: entry,
    getAppBaseInfo: function () { return { language: settings.language === "en" ? "en" : "zh_CN" }; },
    getAccountInfoSync: function () { return { miniProgram: { appId: launch.appid, envVersion: launch.env, version: "" } }; },
    exitMiniProgram: function () { global.location.href = "/phone"; },
  };
  // Not part of WeChat: what the sandbox was configured with, for its demo.
  global.sandbox = { apiBase: settings.apiBase, channel: settings.channel };

  var app = {};
  global.App = function (definition) {
    app = definition;
    if (app.onLaunch) app.onLaunch(entry());
    if (app.onShow) app.onShow(entry());
  };
  global.getApp = function () { return app; };

  function element(tag, className, text) {
    var made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  var draw = {
    title: function (part) { return element("h1", "app", part.text); },
    text: function (part) { return element("p", "hint", part.text); },
    problem: function (part) {
      var made = element("p", "problem", part.text);
      made.setAttribute("role", "alert");
      return made;
    },
    row: function (part) {
      var made = element("p", "row");
      made.append(element("small", "", part.label), element("span", "", part.text));
      return made;
    },
    number: function (part, page) {
      var made = element("label", "field"), input = element("input");
      input.name = part.name;
      input.inputMode = "numeric";
      input.maxLength = part.digits;
      input.autocomplete = "off";
      input.value = page.data[part.name] || "";
      input.oninput = function () { page.data[part.name] = input.value; };
      made.append(element("span", "", part.label), input);
      return made;
    },
    button: function (part, page) {
      var made = element("button", part.plain ? "button plain" : "button", part.text);
      made.type = "button";
      made.onclick = function () {
        if (part.openType !== "getPhoneNumber") return page[part.tap]({});
        call("phone-number", {}).then(
          function (json) { page[part.tap]({ detail: { code: json.code, errMsg: "getPhoneNumber:ok" } }); },
          function (error) { page[part.tap]({ detail: { errMsg: "getPhoneNumber:fail " + error.message } }); });
      };
      return made;
    },
  };

  global.Page = function (definition) {
    var page = Object.assign({}, definition);
    page.data = Object.assign({}, definition.data);
    function show() {
      root.replaceChildren.apply(root, page.view(page.data).map(function (part) { return draw[part.kind](part, page); }));
    }
    page.setData = function (change, done) {
      Object.assign(page.data, change);
      show();
      if (done) done();
    };
    show();
    if (page.onLoad) page.onLoad(Object.assign({}, launch.query));
    if (page.onShow) page.onShow();
  };
})(window);
