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

    /**
     * By the bindings of ZenTao's WeCom webhooks, of the member's own corp only.
     *
     * Corp and userid come from one sign-in: `userid` may be of another corp that the same person belongs to.
     */
    private function accountByUserid($member)
    {
        $corp   = $this->text($member, 'wecom_corpid');
        $userid = $this->text($member, 'wecom_userid');
        if($corp === '' || $userid === '') return null;

        $ids = array();
        foreach($this->webhooks() as $id => $secret)
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
        $account = $this->only($rows, function($id) use ($userid) { return strcasecmp($id, $userid) === 0; });
        /* An account that somebody has bound with its password is theirs alone. */
        return $account === null || $this->isBound($account) ? null : $account;
    }

    /** Whether some member signs in to this account by scanning, by either kind of binding. */
    public function hasMember($account)
    {
        if($this->isBound($account)) return true;
        $ids = array_keys($this->webhooks());
        if(!$ids) return false;
        return (bool)$this->dao->select('account')->from(TABLE_OAUTH)->where('providerType')->eq('webhook')->andWhere('providerID')->in($ids)->andWhere('account')->eq($account)->fetch('account');
    }

    /** ZenTao's WeCom webhooks: what each keeps as its secret, by id. */
    private function webhooks()
    {
        return $this->dao->select('id, secret')->from(TABLE_WEBHOOK)->where('type')->eq('wechatuser')->andWhere('deleted')->eq('0')->fetchPairs('id', 'secret');
    }

    private function isBound($account)
    {
        return (bool)$this->dao->select('account')->from(TABLE_OAUTH)->where('providerType')->eq(self::PROVIDER)->andWhere('account')->eq($account)->fetch('account');
    }

    /** One member for one account: what either was bound to before ends, and a webhook's binding of the account counts no more. */
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
