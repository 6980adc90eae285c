-- Only an account of WeChat can be led back by its unionid after it was unlinked: of the others nothing needs to be remembered (SEC-90).
delete from unlinked_identities where kind not in ('wechat-open', 'wechat-official', 'wechat-mini');
insert into schema_compatibility (migration, works_from) values (13, 8);
