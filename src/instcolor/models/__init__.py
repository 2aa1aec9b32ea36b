"""The packaged models, a folder each; `registry` finds them and the user's own, `downloads` knows where others are."""
