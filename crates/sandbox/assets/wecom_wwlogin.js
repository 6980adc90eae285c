// WwLogin of the sandbox: frames the old WeCom login page (options and messages: WeCom fact sheet §4b).
!function (window, document) {
  "use strict";
  var BASE = "{{base}}";

  function WwLogin(options) {
    // Inserted raw: encoding redirect_uri and state is the caller's duty.
    var src = BASE + "/wwopen/sso/qrConnect?appid=" + options.appid + "&agentid=" + options.agentid +
      "&redirect_uri=" + options.redirect_uri + "&state=" + options.state + "&login_type=jssdk";
    if (options.style) src += "&style=" + options.style;
    if (options.href) src += "&href=" + options.href;
    if (options.lang) src += "&lang=" + options.lang;

    var iframe = document.createElement("iframe");
    iframe.src = src;
    iframe.frameBorder = "0";
    iframe.allowTransparency = "true";
    iframe.scrolling = "no";
    iframe.width = "300px";
    iframe.height = "400px";
    var container = document.getElementById(options.id);
    container.innerHTML = "";
    container.appendChild(iframe);
    iframe.onload = function () { iframe.contentWindow.postMessage("ask_usePostMessage", "*"); };

    var origin = new URL(src, document.baseURI).origin;
    function listen(event) {
      if (event.origin !== origin || event.source !== iframe.contentWindow) return;
      if (typeof event.data === "string" && event.data.indexOf("http") === 0) window.location.href = event.data;
    }
    window.addEventListener("message", listen);
    // Spelled as the original spells it.
    this.destroyed = function () {
      window.removeEventListener("message", listen);
      container.innerHTML = "";
    };
  }

  window.WwLogin = WwLogin;
}(window, document);
