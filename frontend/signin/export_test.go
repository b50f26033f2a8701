package signin

// ClassWords are the words of the privacy page for a class of data.
func ClassWords(class string) string { return words(classes, class) }
