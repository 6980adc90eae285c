DELETE FROM `zt_oauth` WHERE `providerType` = 'mashang';
