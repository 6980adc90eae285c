<?php
helper::importControl('sso');
require_once dirname(__DIR__) . '/mashang/scan.php';

class mysso extends sso
{
    /** Binds the member who scanned to the signed-in account, whose password comes with the form. */
    public function scanbind()
    {
        $scan = new mashangScan($this);
        return $scan->bind();
    }
}
