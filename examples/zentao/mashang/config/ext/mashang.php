<?php
/**
 * Scan to log in with WeCom, by Mashang: the settings. `mashang zentao-plugin` fills them in.
 *
 * ZenTao reads every file of this folder on every request. The client secret is here: keep the file unreadable to others.
 */
$config->mashang = new stdclass();
$config->mashang->issuer       = '@issuer@';        // Mashang's public address.
$config->mashang->clientID     = '@client_id@';     // What this ZenTao is called there.
$config->mashang->clientSecret = '@client_secret@';
$config->mashang->url          = '@url@';           // This ZenTao's own address, as people type it, without a slash at the end.
$config->mashang->channel      = '@channel@';       // The tab to open on the login page; empty: the first, or the one used last.

/* Who signs in is nobody yet, so these may be opened without a sign-in. */
$config->openMethods[] = 'sso.scanlogin';
$config->openMethods[] = 'sso.scancallback';
$config->openMethods[] = 'sso.scanbind';
