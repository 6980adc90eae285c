<?php
/** A stand-in for ZenTao's query builder, over the JSON file that STUB_DATA names: tables of rows. */
define('TABLE_USER', 'user');
define('TABLE_OAUTH', 'oauth');
define('TABLE_WEBHOOK', 'webhook');

/** One statement; the database compares text as MySQL does, without regard to case. */
class dao
{
    private $verb;
    private $table;
    private $wheres = array();
    private $row;
    private $sets = array();

    public function __call($verb, $arguments)
    {
        $with = clone $this;
        if(in_array($verb, array('select', 'update', 'insert', 'delete'))) { $with = new dao(); $with->verb = $verb; }
        if(in_array($verb, array('from', 'update', 'insert'))) $with->table = $arguments[0];
        if($verb === 'set' && strpos($arguments[0], '=') === false) $with->sets[$arguments[0]] = null;
        if($verb === 'eq' && !$with->wheres && $with->sets) $with->sets[array_keys($with->sets)[count($with->sets) - 1]] = $arguments[0];
        if(in_array($verb, array('where', 'andWhere'))) $with->wheres[] = array($arguments[0], array());
        if(in_array($verb, array('eq', 'in')) && $with->wheres && !$with->wheres[count($with->wheres) - 1][1]) $with->wheres[count($with->wheres) - 1][1] = (array)$arguments[0];
        if($verb === 'data') $with->row = $arguments[0];
        return $with;
    }

    private static function tables() { return json_decode(file_get_contents(getenv('STUB_DATA'))); }

    private function fits($row)
    {
        foreach($this->wheres as list($field, $values))
        {
            if(!in_array(strtolower($row->$field), array_map('strtolower', array_map('strval', $values)), true)) return false;
        }
        return true;
    }

    public function fetchAll() { return array_values(array_filter(self::tables()->{$this->table}, function($row) { return $this->fits($row); })); }

    public function fetch($field = '')
    {
        $rows = $this->fetchAll();
        return $rows ? ($field ? $rows[0]->$field : $rows[0]) : false;
    }

    public function fetchPairs($key, $value) { return array_column($this->fetchAll(), $value, $key); }

    public function exec()
    {
        $tables = self::tables();
        if($this->verb === 'insert') $tables->{$this->table}[] = $this->row;
        if($this->verb === 'delete') $tables->{$this->table} = array_values(array_filter($tables->{$this->table}, function($row) { return !$this->fits($row); }));
        if($this->verb === 'update') foreach($tables->{$this->table} as $row) if($this->fits($row)) { $row->visits ++; foreach($this->sets as $field => $value) $row->$field = $value; }
        file_put_contents(getenv('STUB_DATA'), json_encode($tables, JSON_UNESCAPED_UNICODE));
    }
}
