<?php
/**
 * The button on ZenTao's login page, for both generations of it: jQuery up to 18, zin since 20. Plain DOM, so that neither
 * matters. While a member who scanned has yet to sign in with the password, a sentence above the form says so.
 */
require_once __DIR__ . '/scan.php';

global $app;
$mashangWords   = mashangWords::of($app->getClientLang());
$mashangPending = mashangScan::pending();
$mashangReferer = isset($app->control->view->referer) ? (string)$app->control->view->referer : '';
$mashangNotice  = '';
if($mashangPending) $mashangNotice = $mashangPending['name'] === '' ? $mashangWords['notice_nobody'] : sprintf($mashangWords['notice'], $mashangPending['name']);
$mashangButton  = array
(
    'link'   => helper::createLink('sso', 'scanlogin', $mashangReferer === '' ? '' : 'referer=' . helper::safe64Encode($mashangReferer)),
    'text'   => $mashangWords['button'],
    'notice' => $mashangNotice,
);
?>
<script>
(function(button)
{
    function draw()
    {
        var form = document.querySelector('#loginForm') || document.querySelector('#login form');
        if(!form || document.getElementById('mashangScan')) return !!form;

        if(button.notice)
        {
            var notice = document.createElement('p');
            notice.id = 'mashangNotice';
            notice.setAttribute('role', 'status');
            notice.style.cssText = 'margin:0 10px 12px;padding:8px 12px;border-radius:4px;background:#e6f0ff;color:#1d4a94';
            notice.textContent = button.notice;
            form.parentNode.insertBefore(notice, form);
            /* "Your sign-in has expired" is not what happened. */
            document.querySelectorAll('.loginExpired, #login p.text-red').forEach(function(line) { line.style.display = 'none'; });
        }
        var row = document.createElement('div');
        row.style.cssText = 'margin:12px 10px 16px';
        var link = document.createElement('a');
        link.id = 'mashangScan';
        link.className = 'btn not-open-url';
        link.href = button.link;
        link.textContent = button.text;
        link.style.cssText = 'display:flex;align-items:center;justify-content:center;box-sizing:border-box;width:100%';
        row.appendChild(link);
        form.parentNode.insertBefore(row, form.nextSibling);
        return true;
    }

    if(draw()) return;
    var tries = 0;
    var timer = setInterval(function() { if(draw() || ++tries > 50) clearInterval(timer); }, 100);
})(<?php echo json_encode($mashangButton, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT | JSON_INVALID_UTF8_SUBSTITUTE); ?>);
</script>
