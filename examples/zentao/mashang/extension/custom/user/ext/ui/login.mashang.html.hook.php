<?php
/** The login page since ZenTao 20. What is written here goes into the page as it is. */
namespace zin;

include dirname(__DIR__, 3) . '/sso/ext/mashang/button.php';
