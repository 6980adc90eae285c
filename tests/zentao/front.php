<?php
/**
 * The front script of `php -S` for a ZenTao tree: what nginx or Apache would do with the same addresses.
 */
$www  = getenv('ZENTAO_WWW');
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = realpath($www . $path);

if($path !== '/' && $file && is_file($file) && strpos($file, realpath($www)) === 0 && substr($file, -4) !== '.php') return false;

$script = $file && is_file($file) && substr($file, -4) === '.php' ? substr($file, strlen(realpath($www))) : '/index.php';
chdir(dirname($www . $script));
$_SERVER['SCRIPT_NAME']     = $script;
$_SERVER['PHP_SELF']        = $script;
$_SERVER['SCRIPT_FILENAME'] = $www . $script;
$_SERVER['PATH_INFO']       = $script === '/index.php' && $path !== '/index.php' ? $path : '';
require $www . $script;
