"""What a run's folder holds, read and checked: a file that is damaged, edited or impossible is not believed."""
