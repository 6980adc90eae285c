// The camera of the sandbox phone. Without it, or without QR recognition, the page's other ways remain.
(function () {
  "use strict";
  var box = document.querySelector(".camera");
  var devices = navigator.mediaDevices;
  if (!box || !devices || !devices.getUserMedia || !("BarcodeDetector" in window)) return;
  function part(name) { return box.querySelector(name); }
  var video = part(".js_video"), start = part(".js_camera"), stop = part(".js_stop");
  var stream = null;

  window.BarcodeDetector.getSupportedFormats().then(function (formats) {
    if (formats.indexOf("qr_code") < 0) return;
    part(".js_no_camera").hidden = true;
    start.hidden = false;
  });

  function show(scanning) {
    video.hidden = stop.hidden = !scanning;
    start.hidden = scanning;
  }

  function end() {
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    stream = null;
    show(false);
  }

  function look(detector) {
    if (!stream) return;
    detector.detect(video).catch(function () { return []; }).then(function (codes) {
      if (!stream) return;
      if (codes.length === 0) return window.setTimeout(look, 200, detector);
      end();
      window.location.href = box.dataset.home + "?open=" + encodeURIComponent(codes[0].rawValue);
    });
  }

  start.onclick = function () {
    devices.getUserMedia({ video: { facingMode: "environment" } }).then(function (opened) {
      stream = opened;
      video.srcObject = opened;
      show(true);
      return video.play().then(function () { look(new window.BarcodeDetector({ formats: ["qr_code"] })); });
    }).catch(function () {
      end();
      part(".js_refused").hidden = false;
    });
  };
  stop.onclick = end;
})();
