<?php
/**
 * Two requests, GET and POST, with curl, or with PHP's own streams where curl is missing.
 *
 * Certificates are checked, redirects are not followed, and nobody waits long: while Mashang is down, ZenTao goes on.
 */
class mashangHttp
{
    const CONNECT_SECONDS = 3;
    const SECONDS         = 6;
    const LARGEST_ANSWER  = 1048576;

    public function get($url, $headers = array())
    {
        return $this->send('GET', $url, null, $headers);
    }

    public function post($url, $body, $headers = array())
    {
        $headers[] = 'Content-Type: application/x-www-form-urlencoded';
        return $this->send('POST', $url, $body, $headers);
    }

    /** @return array status and body */
    private function send($method, $url, $body, $headers)
    {
        $headers[] = 'Accept: application/json';
        $answer    = function_exists('curl_init') ? $this->byCurl($method, $url, $body, $headers) : $this->byStream($method, $url, $body, $headers);
        if(strlen($answer['body']) > self::LARGEST_ANSWER) $this->unreachable($url, 'the answer is too long');
        return $answer;
    }

    private function byCurl($method, $url, $body, $headers)
    {
        $text = '';
        $curl = curl_init($url);
        curl_setopt_array($curl, array
        (
            CURLOPT_CUSTOMREQUEST  => $method,
            CURLOPT_HTTPHEADER     => $headers,
            CURLOPT_CONNECTTIMEOUT => self::CONNECT_SECONDS,
            CURLOPT_TIMEOUT        => self::SECONDS,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS      => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_WRITEFUNCTION  => function($curl, $piece) use (&$text)
            {
                $text .= $piece;
                return strlen($text) > mashangHttp::LARGEST_ANSWER ? -1 : strlen($piece);
            },
        ));
        if($body !== null) curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
        $done   = curl_exec($curl);
        $status = (int)curl_getinfo($curl, CURLINFO_HTTP_CODE);
        if($done === false) $this->unreachable($url, curl_error($curl));
        return array('status' => $status, 'body' => $text);
    }

    private function byStream($method, $url, $body, $headers)
    {
        $context = stream_context_create(array('http' => array
        (
            'method'          => $method,
            'header'          => implode("\r\n", $headers),
            'content'         => (string)$body,
            'timeout'         => self::SECONDS,
            'follow_location' => 0,
            'ignore_errors'   => true,
        )));
        $stream = @fopen($url, 'rb', false, $context);
        if(!$stream) $this->unreachable($url, 'no connection, or allow_url_fopen is off');
        $text  = stream_get_contents($stream, self::LARGEST_ANSWER + 1);
        $about = stream_get_meta_data($stream);
        fclose($stream);
        if($text === false || $about['timed_out']) $this->unreachable($url, 'no answer in time');

        preg_match('#^HTTP/\S+ (\d{3})#', isset($about['wrapper_data'][0]) ? $about['wrapper_data'][0] : '', $found);
        return array('status' => $found ? (int)$found[1] : 0, 'body' => $text);
    }

    private function unreachable($url, $why)
    {
        throw new mashangFailure(mashangFailure::UNREACHABLE, parse_url($url, PHP_URL_HOST) . ': ' . $why);
    }
}
