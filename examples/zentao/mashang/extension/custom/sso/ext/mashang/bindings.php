<?php
/**
 * Which account a member of the corp is, in ZenTao's own table zt_oauth.
 *
 *   providerType `mashang`  our rows: openID is Mashang's `sub`, bound by the person with the password
 *   providerType `webhook`  ZenTao's: openID is WeCom's userid, bound by the administrator for notifications
 */
class mashangBindings
{
    const PROVIDER = 'mashang';

    private $dao;

    public function __construct($dao)
    {
        $this->dao = $dao;
    }

    /** The account, or null. A person's own binding counts first; a name never does. */
    public function accountOf($member)
    {
        $rows = $this->dao->select('account, openID')->from(TABLE_OAUTH)
            ->where('providerType')->eq(self::PROVIDER)
            ->andWhere('openID')->eq($member['sub'])
            ->fetchAll();
        /* The database does not tell upper from lower case; a `sub` does. */
        $own = $this->only($rows, function($id) use ($member) { return $id === $member['sub']; });
        return $own === null ? $this->accountByUserid($member) : $own;
    }

    /** By the bindings of ZenTao's WeCom webhooks, of the member's own corp only. */
    private function accountByUserid($member)
    {
        $corp   = $this->text($member, 'wecom_corpid');
        $userid = $this->text($member, 'wecom_userid');
        if($userid === '') $userid = $this->text($member, 'userid');
        if($corp === '' || $userid === '') return null;

        $ids      = array();
        $webhooks = $this->dao->select('id, secret')->from(TABLE_WEBHOOK)->where('type')->eq('wechatuser')->andWhere('deleted')->eq('0')->fetchPairs('id', 'secret');
        foreach($webhooks as $id => $secret)
        {
            $secret = json_decode($secret, true);
            if(isset($secret['appKey']) && $secret['appKey'] === $corp) $ids[] = $id;
        }
        if(!$ids) return null;

        $rows = $this->dao->select('account, openID')->from(TABLE_OAUTH)
            ->where('providerType')->eq('webhook')
            ->andWhere('providerID')->in($ids)
            ->andWhere('openID')->eq($userid)
            ->fetchAll();
        /* WeCom's userids are the same in upper and lower case. */
        return $this->only($rows, function($id) use ($userid) { return strcasecmp($id, $userid) === 0; });
    }

    public function isBound($account)
    {
        return (bool)$this->dao->select('account')->from(TABLE_OAUTH)->where('providerType')->eq(self::PROVIDER)->andWhere('account')->eq($account)->fetch('account');
    }

    /** One member for one account: what either was bound to before ends. */
    public function bind($account, $sub)
    {
        $this->dao->delete()->from(TABLE_OAUTH)->where('providerType')->eq(self::PROVIDER)->andWhere('account')->eq($account)->exec();
        $this->dao->delete()->from(TABLE_OAUTH)->where('providerType')->eq(self::PROVIDER)->andWhere('openID')->eq($sub)->exec();

        $row = new stdclass();
        $row->account      = $account;
        $row->openID       = $sub;
        $row->providerType = self::PROVIDER;
        $row->providerID   = 0;
        $this->dao->insert(TABLE_OAUTH)->data($row)->exec();
    }

    /** The one account of the rows that fit; two different ones are none, since either could be wrong. */
    private function only($rows, $fits)
    {
        $accounts = array();
        foreach($rows as $row) if($fits($row->openID)) $accounts[$row->account] = $row->account;
        return count($accounts) === 1 ? (string)reset($accounts) : null;
    }

    private function text($claims, $name)
    {
        return isset($claims[$name]) && is_string($claims[$name]) ? $claims[$name] : '';
    }
}
