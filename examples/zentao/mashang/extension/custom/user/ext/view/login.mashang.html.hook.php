<?php
/** The login page up to ZenTao 18. */
include dirname(__DIR__, 3) . '/sso/ext/mashang/button.php';
