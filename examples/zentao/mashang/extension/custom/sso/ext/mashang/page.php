<?php
/** The pages of scan to log in: one that tells, one that asks. They need nothing of ZenTao's, so every version shows them alike. */
class mashangPage
{
    private $language;
    private $words;

    public function __construct($language, $words)
    {
        $this->language = $language;
        $this->words    = $words;
    }

    /** @param array $ways where to go from here: label => address; the first is the one to take */
    public function show($reason, $ways)
    {
        http_response_code($reason === 'unreachable' ? 503 : ($reason === 'stale' ? 400 : 403));
        list($title, $text) = $this->words[$reason];
        $links = '';
        foreach($ways as $label => $address) $links .= '<a class="way" href="' . $this->escape($address) . '">' . $this->escape($label) . '</a>';
        $this->write($title, '<p>' . $this->escape($text) . '</p><p class="ways">' . $links . '</p>', $reason);
    }

    /** @param string $refusal the word for what was wrong with the form that was sent, or empty */
    public function ask($pending, $account, $replaces, $action, $home, $refusal = '')
    {
        if($refusal !== '') http_response_code(403);
        $bold  = function($text) { return '<strong>' . $this->escape($text) . '</strong>'; };
        $text  = sprintf($this->escape($this->words['ask']), $bold($pending['name'] === '' ? $this->words['ask_nobody'] : $pending['name']), $bold($account));
        $body  = "<p>$text</p>";
        $body .= $replaces ? '<p>' . $this->escape($this->words['ask_replace']) . '</p>' : '';
        $body .= '<p>' . $this->escape($this->words['ask_not_you']) . '</p>';
        $body .= $refusal === '' ? '' : '<p class="wrong" role="alert" data-refusal="' . $this->escape($refusal) . '">' . $this->escape($this->words[$refusal]) . '</p>';
        $body .= '<form method="post" action="' . $this->escape($action) . '"><input type="hidden" name="token" value="' . $this->escape($pending['token']) . '" />';
        $body .= '<label>' . $this->escape(sprintf($this->words['ask_password'], $account)) . '<input type="password" name="password" autocomplete="current-password" required="required" /></label>';
        $body .= '<p class="ways"><button class="way" type="submit">' . $this->escape($this->words['ask_yes']) . '</button>';
        $body .= '<a class="way" href="' . $this->escape($home) . '">' . $this->escape($this->words['cancel']) . '</a></p></form>';
        $this->write($this->words['ask_title'], $body, 'ask');
    }

    private function write($title, $body, $name)
    {
        header('Content-Type: text/html; charset=utf-8');
        header('X-Frame-Options: SAMEORIGIN');
        $language = $this->escape($this->language);
        $title    = $this->escape($title);
        echo <<<HTML
<!DOCTYPE html>
<html lang="$language">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>$title</title>
<style>
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center; background: #f2f3f5; color: #313c52; font: 16px/1.7 -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif; }
main { box-sizing: border-box; width: 100%; max-width: 460px; margin: 16px; padding: 28px 32px; background: #fff; border-radius: 6px; box-shadow: 0 1px 8px rgba(0, 0, 0, .08); }
h1 { margin: 0 0 8px; font-size: 20px; }
.wrong { color: #b3261e; }
label { display: block; }
input { box-sizing: border-box; width: 100%; margin: 4px 0 0; padding: 6px 10px; border: 1px solid #838a9d; border-radius: 4px; font: inherit; }
.ways { margin: 20px 0 0; }
.way { display: inline-block; margin: 0 12px 8px 0; padding: 6px 16px; border: 1px solid #838a9d; border-radius: 4px; background: #fff; color: inherit; font: inherit; text-decoration: none; cursor: pointer; }
.way:first-child { border-color: #1d5fd1; background: #1d5fd1; color: #fff; }
.way:focus-visible, input:focus-visible { outline: 3px solid #8fb5f5; outline-offset: 2px; }
</style>
</head>
<body>
<main id="mashang" data-page="$name">
<h1>$title</h1>
$body
</main>
</body>
</html>
HTML;
    }

    private function escape($text)
    {
        return htmlspecialchars((string)$text, ENT_QUOTES, 'UTF-8');
    }
}
