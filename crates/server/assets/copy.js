/**
 * Buttons that copy a field: `<button data-copy="field id" data-copied="words" data-failed="words" hidden>`, followed by
 * an element for what screen readers say. Without script the field can still be copied by hand.
 */
for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    let copied = true;
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch (error) { // plain http has no clipboard
      copied = document.execCommand('copy');
    }
    const words = copied ? button.dataset.copied : button.dataset.failed;
    button.nextElementSibling.textContent = words;
    if (copied) button.textContent = words;
  });
}
