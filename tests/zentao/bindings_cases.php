<?php
/**
 * Which account each member is, by the extension's bindings.php over the tables of STUB_DATA. Reads the members' claims as
 * JSON, {"<case>": {…}}, and prints {"<case>": "<account>" or null}.
 *
 * php bindings_cases.php '<claims>'
 */
require __DIR__ . '/dao.php';
require __DIR__ . '/../../examples/zentao/mashang/extension/custom/sso/ext/mashang/bindings.php';

$bindings = new mashangBindings(new dao());
echo json_encode(array_map(array($bindings, 'accountOf'), json_decode($argv[1], true)));
