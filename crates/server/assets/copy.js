/**
 * Buttons that copy a field: `<button data-copy="field id" data-copied="words" data-failed="words" hidden>`, followed by
 * an element for what screen readers say; that it failed is for everybody to see. What was said is taken back when the
 * field changes, and after a while. Without script the field can still be copied by hand.
 */
for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  const note = button.nextElementSibling;
  let later;
  const say = (words, shownOn) => {
    note.textContent = words;
    note.className = shownOn === note ? 'complaint' : 'unseen';
    button.textContent = shownOn === button ? words : label;
  };
  const reset = () => say('');
  button.hidden = false;
  field.addEventListener('change', reset);
  button.addEventListener('click', async () => {
    let copied = true;
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch (error) { // plain http has no clipboard
      copied = document.execCommand('copy');
    }
    clearTimeout(later);
    if (!copied) return say(button.dataset.failed, note);
    say(button.dataset.copied, button);
    later = setTimeout(reset, 3000);
  });
}
