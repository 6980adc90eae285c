<?php
/**
 * What the two addresses that a browser is sent to may have in their query. ZenTao drops what is not declared, and with
 * addresses like index.php?m=…&f=… it refuses values that its general rule does not know, such as the `://` in `iss`.
 */
global $filter;
$mashangAnswer = array
(
    'code'              => 'reg::/^[\x21-\x7e]{1,512}$/',
    'state'             => 'reg::/^[\x21-\x7e]{1,512}$/',
    'iss'               => 'reg::/^https?:[\x21-\x7e]{1,512}$/',
    'error'             => 'reg::/^\w{1,64}$/',
    'error_description' => 'reg::/^[^<>]{1,1024}$/u',
    'error_uri'         => 'reg::/^https?:[\x21-\x7e]{1,512}$/',
    'session_state'     => 'reg::/^[\x21-\x7e]{1,512}$/',
);
$filter->sso->scancallback             = new stdclass();
$filter->sso->scancallback->get        = $mashangAnswer;
$filter->sso->scancallback->paramValue = $mashangAnswer;
$filter->sso->scanlogin                = new stdclass();
$filter->sso->scanlogin->get['referer'] = 'reg::base64';
