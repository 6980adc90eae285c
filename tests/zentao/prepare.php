<?php
/**
 * Fills the database of a fresh ZenTao for serve.sh: what its installer does, without a browser.
 *
 * php prepare.php <tree> <port> <database> <admin> <password>
 */
list(, $tree, $port, $database, $admin, $password) = $argv;

$db = new PDO("mysql:host=127.0.0.1;port=$port;charset=utf8mb4", 'zentao', 'zentao');
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec("SET SESSION sql_mode = ''");
$db->exec("CREATE DATABASE `$database` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
$db->exec("USE `$database`");

/* ZenTao parts its statements at every ';' and writes __DELIMITER__ where one of its own is meant. */
$refused = 0;
foreach(explode(';', file_get_contents("$tree/db/zentao.sql")) as $statement)
{
    $statement = preg_replace('/^(\s*--[^\n]*\n)+/', '', trim($statement));
    if($statement === '' || strpos($statement, '--') === 0 || stripos($statement, 'SET global') === 0) continue;
    $statement = str_replace(array('__DELIMITER__', '__TABLE__', '__DATABASE__'), array(';', $database, $database), $statement);
    try
    {
        $db->exec($statement);
    }
    catch(PDOException $refusal)
    {
        $refused ++;
        fwrite(STDERR, 'refused: ' . substr($refusal->getMessage(), 0, 160) . "\n");
    }
}

/* What the installer's last steps write. */
preg_match("/version\s*=\s*'([^']+)'/", file_get_contents("$tree/config/config.php"), $found);
$insert = function($table, $row) use ($db)
{
    $names = '`' . implode('`, `', array_keys($row)) . '`';
    $marks = implode(', ', array_fill(0, count($row), '?'));
    $db->prepare("REPLACE INTO `$table` ($names) VALUES ($marks)")->execute(array_values($row));
};
$person = function($account, $realname, $password) use ($insert)
{
    $insert('zt_user', array('account' => $account, 'realname' => $realname, 'password' => md5($password), 'gender' => 'f', 'visions' => 'rnd,lite', 'visits' => 1));
};
$setting = function($section, $key, $value) use ($insert)
{
    $insert('zt_config', array('owner' => 'system', 'module' => 'common', 'section' => $section, 'key' => $key, 'value' => $value));
};

$insert('zt_company', array('name' => 'Mashang', 'admins' => ",$admin,"));
$person($admin, $admin, $password);
$person('zhangsan', '张三', 'Zhang-san-1');
$person('lisi', '李四', 'Li-si-12');
$person('wangwu', '王五', 'Wang-wu-1');
foreach(array('zhangsan', 'lisi', 'wangwu') as $account) $insert('zt_usergroup', array('account' => $account, 'group' => 2, 'project' => ''));
$setting('global', 'version', $found[1]);
$setting('global', 'sn', md5('tests'));
$setting('global', 'flow', 'full');
$setting('global', 'mode', 'ALM');
$setting('global', 'cron', '0');

echo "ZenTao {$found[1]}, database $database, $refused statements refused\n";
